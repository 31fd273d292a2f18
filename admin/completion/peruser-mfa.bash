# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of peruser-mfa for bash: subcommands, the options of each, and what follows an option.

_peruser_mfa() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' own='' words='' files='' i
	local commands='status list report metrics enroll invite require suspend resume reset unlock device trusted policy recovery verify import export keygen keys rekey check ledger setup'
	local common='--config --admin-config --uri --bind-dn --ask-password --password-file --mechanism --simple --start-tls --json --quiet --version --help'

	# "--option=value" comes as three words.
	if [[ $word == '=' ]]; then
		word=''
	elif [[ $before == '=' ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		case " $commands " in
		*" ${COMP_WORDS[i]} "*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $command in
	status) own='' ;;
	list) own='--state --required --locked --stale --users --users-file --group' ;;
	metrics) own='--output' ;;
	report) own='--users --users-file --group' ;;
	enroll) own='--device --algorithm --digits --period --issuer --no-confirm --dry-run' ;;
	invite) own='--voucher --valid --users --users-file --group --yes --dry-run' ;;
	require) own='--from --until-removed --remove --users --users-file --group --yes --dry-run' ;;
	suspend) own='--users --users-file --group --yes --dry-run' ;;
	resume) own='--users --users-file --group --yes --dry-run' ;;
	reset) own='--device --users --users-file --group --yes --dry-run' ;;
	unlock) own='--users --users-file --group --yes --dry-run' ;;
	device) own='--dry-run' ;;
	trusted) own='--dry-run' ;;
	policy) own='--nas --address' ;;
	recovery) own='--dry-run' ;;
	verify) own='' ;;
	import) own='--format --user --all-or-nothing --pskc-key --pskc-password --suspended --dry-run' ;;
	export) own='' ;;
	keygen) own='--id --last --dry-run' ;;
	keys) own='--ring-only --first --remove --force --dry-run' ;;
	rekey) own='--progress --dry-run' ;;
	ledger) own='' ;;
	setup) own='--answers --undo --dry-run' ;;
	check) own='--as-radius --as-radius-file --as-page --as-page-file --as-user --as-user-file --module' ;;
	esac
	case $command:$before in
	*:-c | *:--config | *:--admin-config | *:-y | *:--password-file) files=yes ;;
	*:--users-file | *:--pskc-key | *:--pskc-password | *:--as-*-file | *:--module | *:--answers | *:--output | metrics:-o) files=yes ;;
	*:--from | *:--users | *:--group) ;;
	*:-s | *:--state) words='off suspended enrolled invited overdue broken' ;;
	*:--format) words='auto csv otpauth google pskc' ;;
	*:--algorithm) words='SHA1 SHA256 SHA512' ;;
	*:-Y | *:--mechanism) words='EXTERNAL' ;;
	keys:--remove | *:-H | *:--uri | *:-D | *:--bind-dn | *:--stale | *:-d | *:--device | *:--digits | *:--period) ;;
	*:--issuer | *:--valid | *:-u | *:--user | *:-i | *:--id | *:--first | *:--as-*) ;;
	*)
		if [[ $word == -* ]]; then
			words="$own $common"
		elif [[ -z $command ]]; then
			words=$commands
		elif [[ $command == import ]]; then
			files=yes
		fi
		;;
	esac
	COMPREPLY=()
	if [[ $files ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	elif [[ $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	fi
}
complete -F _peruser_mfa peruser-mfa
