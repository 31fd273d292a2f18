# SPDX-License-Identifier: GPL-2.0-or-later
#
# Make the C functions of enroll/html/*.html: mfa_html_NAME(web, parameters) writes NAME.html into the page.
#
#	awk -f tools/html.awk FILE.html... >mfa_html.h
#
# A comment at the top declares the parameters, in their order: "<!-- takes text name, flag wrong -->".
#
#	text    char const *, escaped			bytes   struct mfa_bytes, escaped
#	markup  struct mfa_markup, as it is		flag    bool, for conditions only
#	time    seconds since the Unix epoch, for {!date: name} and conditions
#	part    void (*)(struct mfa_web *), called where {!name} is
#
#	{name}	      the value; {base} is the address of the page		{_Words}      a text, translated
#	{?name}..{:}..{/name}	 the one when it is set or not empty, else the other
#	{!name: arguments}	 call mfa_layout_name(web, arguments), in C
#
# Refused: a value without a parameter, a parameter without a use, a value outside quotes in a tag, words that are
# not translated, a condition that is not closed.

function fail(why)
{
	printf "%s:%d: %s\n", file, line, why >"/dev/stderr"
	failed = 1
}

function c_string(text)
{
	gsub(/\\/, "\\\\", text)
	gsub(/"/, "\\\"", text)
	gsub(/\n/, "\\n", text)
	return "\"" text "\""
}

function statement(text)
{
	body = body sprintf("%*s%s\n", 1 + depth, "", text)
}

# Follow tags and quotes through literal text, and find words that nobody translated.
function follow(text, i, c, words)
{
	for (i = 1; i <= length(text); i++) {
		c = substr(text, i, 1)
		if (c == "\n") line++
		if (in_tag && c == "\"") in_quote = !in_quote
		else if (in_tag && !in_quote && c == ">") in_tag = 0
		else if (!in_tag && c == "<") in_tag = 1
		else if (!in_tag && c != "\n") words = words c
	}
	gsub(/&[a-z]+;/, "", words)
	if (words ~ /[A-Za-z]/) fail("words that are not translated: " words)
}

function literal(text)
{
	if (text == "") return
	follow(text)
	statement("mfa_out_raw(&web->body, " c_string(text) ");")
}

function value(name)
{
	if (in_tag && !in_quote) fail("{" name "} is outside quotes")
	if (name == "base") {
		statement("mfa_out_text(&web->body, web->http.base);")
		return
	}
	if (!(name in type)) fail("{" name "} is no parameter")
	used[name] = 1
	if (type[name] == "text") statement("mfa_out_text(&web->body, " name ");")
	else if (type[name] == "bytes") statement("mfa_out_bytes(&web->body, " name ");")
	else if (type[name] == "markup") statement("mfa_out_raw(&web->body, " name ".html);")
	else fail("{" name "} is a " type[name] ", which has no text")
}

function words(text)
{
	if (in_tag && !in_quote) fail("words outside quotes")
	gsub(/[ \t\n]+/, " ", text)
	statement("mfa_out_text(&web->body, _(" c_string(text) "));")
}

function begin_condition(name)
{
	if (!(name in type) || type[name] == "part") fail("{?" name "} is no parameter")
	used[name] = 1
	statement("if (" name test[type[name]] ") {")
	open[++depth] = name
}

function end_condition(name)
{
	if (depth == 0 || open[depth] != name) fail("{/" name "} closes nothing")
	depth--
	statement("}")
}

function call(text, name, arguments)
{
	name = text
	if (match(text, /:[ \t\n]*/)) {
		name = substr(text, 1, RSTART - 1)
		arguments = ", " substr(text, RSTART + RLENGTH)
	}
	gsub(/[ \t\n]+/, " ", arguments)
	if (name in type && type[name] == "part") {
		used[name] = 1
		statement(name "(web);")
		return
	}
	for (one in type)
		if (match(arguments, "(^|[^A-Za-z_\"])" one "($|[^A-Za-z_\"])")) used[one] = 1
	statement("mfa_layout_" name "(web" arguments ");")
}

function directive(text)
{
	if (text ~ /^_/) words(substr(text, 2))
	else if (text ~ /^\?/) begin_condition(substr(text, 2))
	else if (text == ":") {
		depth--
		statement("} else {")
		depth++
	} else if (text ~ /^\//) end_condition(substr(text, 2))
	else if (text ~ /^!/) call(substr(text, 2))
	else value(text)
}

# The parameters of "text name, flag wrong"
function declare(list, n, i, item, parameter, c)
{
	c["text"] = "char const *"
	c["bytes"] = "struct mfa_bytes "
	c["markup"] = "struct mfa_markup "
	c["flag"] = "bool "
	c["time"] = "int64_t "
	n = split(list, parameter, /[ \t\n]*,[ \t\n]*/)
	for (i = 1; i <= n; i++) {
		split(parameter[i], item, / /)
		if (!(item[1] in c) && item[1] != "part") fail("no type " item[1])
		type[item[2]] = item[1]
		prototype = prototype ", " (item[1] == "part" ? "void (*" item[2] ")(struct mfa_web *)" : c[item[1]] item[2])
	}
}

function compile(text, name, at)
{
	split("", type)
	split("", used)
	body = prototype = ""
	depth = in_tag = in_quote = 0
	line = 1
	while (match(text, /^<!--[^>]*-->\n*/)) {
		at = substr(text, 1, RLENGTH)
		line += gsub(/\n/, "\n", at)
		text = substr(text, RLENGTH + 1)
		if (sub(/^<!-- takes /, "", at)) {
			sub(/ -->\n*$/, "", at)
			declare(at)
		}
	}
	gsub(/\n[ \t]+/, "\n", text)
	while ((at = index(text, "{")) > 0) {
		literal(substr(text, 1, at - 1))
		text = substr(text, at + 1)
		at = index(text, "}")
		if (at == 0) fail("{ without }")
		directive(substr(text, 1, at - 1))
		text = substr(text, at + 1)
	}
	literal(text)
	if (depth > 0) fail("{?" open[depth] "} is not closed")
	for (at in type)
		if (!(at in used)) fail("parameter " at " is not used")
	printf "\nstatic inline void mfa_html_%s(struct mfa_web *web%s)\n{\n%s}\n", name, prototype, body
}

FNR == 1 {
	if (file != "") compile(whole, base_name(file))
	file = FILENAME
	whole = ""
}
{ whole = whole $0 "\n" }

function base_name(path)
{
	sub(/.*\//, "", path)
	sub(/\.html$/, "", path)
	return path
}

BEGIN {
	test["text"] = "[0] != '\\0'"
	test["bytes"] = ".len > 0"
	test["time"] = " > 0"
	print "/* SPDX-License-Identifier: GPL-2.0-or-later */"
	print "/* Made from enroll/html by tools/html.awk. */"
	print "#ifndef MFA_HTML_H\n#define MFA_HTML_H\n\n#include \"enroll/layout.h\""
}
END {
	if (file != "") compile(whole, base_name(file))
	print "\n#endif"
	exit failed
}
