# SPDX-License-Identifier: GPL-2.0-or-later
#
# A man page from a configuration file, which explains each item where it stands:
#
#	awk -v name=PAGE -v what="ONE LINE" -v date="Month day, year" -v path=FILE \
#		-v top=SECTION -f tools/conf_man.awk FILE
#
# "#  text" explains what comes next; "#\ttext" is shown as it is; "#item = value" is
# an item with its default; "item = value" one that has to be set, with an example.
# Items of the section TOP are items of the file.

function escape(text) {
	gsub(/\\/, "\\e", text)
	gsub(/"/, "\\(dq", text)
	sub(/^[.']/, "\\\\\\&&", text)
	return text
}
function say(text) { page = page text "\n" }
function add(text) { prose = prose text "\n" }
# Each sentence begins a line, as mdoc(7) has it.
function add_prose(text,   part, n, i) {
	gsub(/[.!?]  ?[^ ]/, "&\001", text)
	n = split(text, part, "\001")
	for (i = 1; i < n; i++) {
		rest = substr(part[i], length(part[i]))
		part[i + 1] = rest part[i + 1]
		part[i] = substr(part[i], 1, length(part[i]) - 1)
	}
	for (i = 1; i <= n; i++) {
		sub(/ +$/, "", part[i])
		add(escape(part[i]))
	}
}
function end_literal() { if (literal) { add(".Ed"); literal = 0 } }
function flush_prose() { end_literal(); text = prose; prose = ""; sub(/^(\.Pp\n)+/, "", text); sub(/(\.Pp\n)+$/, "", text); return text }
function close_list() { if (listed) say(".El"); listed = 0 }
function open_list() { if (!listed) say(".Bl -tag -width Ds"); listed = 1 }

function others(   page, list, n, i, text) {
	n = split("admin.conf enroll.conf peruser_mfa.conf rlm_peruser_mfa", page, " ")
	for (i = 1; i <= n; i++) if (page[i] != title) text = text ".Xr " page[i] " 5 ,\n"
	return text ".Xr peruser-mfa 8 ,\n.Xr peruser-mfa-enroll 8"
}

BEGIN {
	title = name
	sub(/\.[0-9]$/, "", title)
	printf ".\\\" SPDX-License-Identifier: GPL-2.0-or-later\n.Dd %s\n.Dt %s 5\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", \
		date, toupper(title), title, what
}
/SPDX-License-Identifier|-\*- text -\*-/ { next }
{
	line = $0
	sub(/^[ \t]+/, "", line)
}
line ~ /^#[ \t]*$/ { end_literal(); if (prose != "") add(".Pp"); next }
line ~ /^#  / && !(line ~ /^#  +[^ ].*  / && literal) { end_literal(); sub(/^#  +/, "", line); add_prose(line); next }
line ~ /^#\t/ && line !~ /^#\t+[a-z_]+ = / {
	if (!literal) { sub(/\.Pp\n$/, "", prose); add(".Bd -literal -offset indent") }
	literal = 1
	sub(/^#\t/, "", line)
	add(escape(line))
	next
}
line ~ /^#?[ \t]*[a-z_]+[ \t]*=/ {
	set = line !~ /^#/
	sub(/^#[ \t]*/, "", line)
	item = value = line
	sub(/[ \t]*=.*/, "", item)
	sub(/^[^=]*=[ \t]*/, "", value)
	open_list()
	say(".It Cm " prefix item " No = Ar " (value == "" ? "\\(dq\\(dq" : escape(value)))
	text = flush_prose()
	say(text (set ? "Has to be set." : ""))
	next
}
line ~ /^[a-z_]+( [a-z_]+)?[ \t]*\{/ {
	sub(/[ \t]*\{.*/, "", line)
	depth++
	if (depth == 1 && line == top) { description = flush_prose(); next }
	close_list()
	prefix = line "."
	say(".Ss " line " { }")
	text = flush_prose()
	if (text != "") say(text)
	next
}
line ~ /^\}/ { depth--; close_list(); prefix = ""; next }
/^[ \t]*\$INCLUDE/ { included = flush_prose(); sub(/\n$/, "", included); next }
line == "" && description == "" && prose != "" && !listed { description = flush_prose(); next }
END {
	close_list()
	gsub(/\n\n+/, "\n", page)
	gsub(/\n\n+/, "\n", description)
	sub(/\n$/, "", description)
	sub(/\n$/, "", page)
	print ".Sh DESCRIPTION\n" description (included != "" ? "\n.Pp\nIncludes\n.Xr peruser_mfa.conf 5 :\n" included : "") "\n.Sh ITEMS\n" page
	print ".Sh FILES\n.Bl -tag -width Ds\n.It Pa " path "\n.El\n.Sh SEE ALSO\n" others()
}
