# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of peruser-mfa for bash: subcommands, and the options of each.

_peruser_mfa() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' own='' i
	local commands='status list report enroll invite require suspend resume reset unlock recovery verify import export keygen keys rekey check'
	local common='--config --admin-config --uri --bind-dn --ask-password --password-file --mechanism --simple --start-tls --json --quiet --help'

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
	list) own='--state --required --locked --stale' ;;
	report) own='' ;;
	enroll) own='--device --algorithm --digits --period --issuer --no-confirm --dry-run' ;;
	invite) own='--voucher --valid --users --from --dry-run' ;;
	require) own='--from --until-removed --remove --users --dry-run' ;;
	suspend) own='--users --from --dry-run' ;;
	resume) own='--users --from --dry-run' ;;
	reset) own='--users --from --dry-run' ;;
	unlock) own='--users --from --dry-run' ;;
	recovery) own='--dry-run' ;;
	verify) own='' ;;
	import) own='--format --user --all-or-nothing --pskc-key --pskc-password --suspended --dry-run' ;;
	export) own='' ;;
	keygen) own='--id --last --dry-run' ;;
	keys) own='--ring-only --first --remove --force --dry-run' ;;
	rekey) own='--progress --dry-run' ;;
	check) own='--as-radius --as-radius-file --as-page --as-page-file --as-user --as-user-file --module' ;;
	esac
	COMPREPLY=()
	case $before in
	--state)
		mapfile -t COMPREPLY < <(compgen -W 'off suspended enrolled invited overdue broken' -- "$word")
		return
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'auto csv otpauth google pskc' -- "$word")
		return
		;;
	--algorithm)
		mapfile -t COMPREPLY < <(compgen -W 'SHA1 SHA256 SHA512' -- "$word")
		return
		;;
	esac
	if [[ $word == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$own $common" -- "$word")
	elif [[ -z $command && $before != -c && $before != -y ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
	fi
}
complete -F _peruser_mfa peruser-mfa
