# SPDX-License-Identifier: GPL-2.0-or-later
"""Sites drawn at random, the logins that people and attackers make there, and an oracle that judges each reply.

people   the accounts of one site
site     what a site is made of, drawn from a seed
raddb    the configuration of some sites in one server process
oracle   which replies are allowed, and which an honest login must get
bench    sends packets to one site and lets the oracle judge
logins   honest logins and attacks
run      all of it, and how a failing site is shown
"""
