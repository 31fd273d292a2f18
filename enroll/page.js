/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conveniences alone: each page works without this file. */
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
	if (!navigator.clipboard) continue;
	button.hidden = false;
	button.addEventListener("click", async () => {
		const source = document.getElementById(button.dataset.copy);
		const lines = [...source.querySelectorAll("li")].map((item) => item.textContent);
		await navigator.clipboard.writeText(lines.length ? lines.join("\n") + "\n" : source.textContent);
		button.textContent = button.dataset.done;
	});
}

for (const button of document.querySelectorAll("[data-print]")) {
	button.hidden = false;
	button.addEventListener("click", () => window.print());
}

/* A second click does not send a form twice; going back makes it usable again. */
for (const form of document.querySelectorAll("form[action$='/on'], form[action$='/off'], form[action$='/new'], form[action$='/recovery']")) {
	form.addEventListener("submit", () => {
		for (const button of form.querySelectorAll("[type=submit]")) setTimeout(() => { button.disabled = true; });
	});
	window.addEventListener("pageshow", () => {
		for (const button of form.querySelectorAll("[type=submit]")) button.disabled = false;
	});
}

/* Going back to a page that the browser kept: show how things stand now, and recovery codes only once. */
window.addEventListener("pageshow", (event) => {
	if (event.persisted) location.reload();
});

for (const button of document.querySelectorAll("[data-show]")) {
	const field = document.getElementById(button.dataset.show);
	button.hidden = false;
	button.addEventListener("click", () => {
		const shown = field.type === "text";
		field.type = shown ? "password" : "text";
		button.setAttribute("aria-pressed", String(!shown));
	});
	field.form.addEventListener("submit", () => { field.type = "password"; });
}

const problem = document.getElementById("problem");
const field = problem && (document.querySelector("[autofocus]") || document.querySelector("[aria-invalid]"));
if (field) field.focus();
