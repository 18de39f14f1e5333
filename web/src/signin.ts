// The panel that asks for a key; a key typed here is kept only once the server has accepted it.

import { h, setText } from "./dom.ts";

/** Shows the panel in `root`; `tryKey` resolves to null when accepted, else to the sentence that says why not. */
export function showSignIn(
  root: HTMLElement,
  message: string,
  tryKey: (key: string) => Promise<string | null>,
): void {
  const field = h("input", {
    id: "signin-key",
    "data-testid": "signin-key",
    type: "password",
    placeholder: "kw_…",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": "signin-problem",
  });
  const problem = h("p", { id: "signin-problem", class: "problem", role: "alert" }, message);
  const submit = h(
    "button",
    { class: "primary", type: "submit", "data-testid": "signin-submit" },
    "Open the fleet",
  );
  const onsubmit = async (event: Event) => {
    event.preventDefault();
    submit.disabled = true;
    setText(problem, "");
    const refusal = await tryKey(field.value.trim());
    if (refusal === null) return;
    setText(problem, refusal);
    submit.disabled = false;
    field.select();
  };
  const form = h(
    "form",
    { class: "signin-card", onsubmit: (event) => void onsubmit(event) },
    h("img", { src: "./favicon.svg", alt: "", width: 44, height: 44 }),
    h("h1", {}, "Keelwing"),
    h("p", { class: "lead" }, "Where your ships and aircraft are, who has them, and what needs you today."),
    h("label", { for: "signin-key" }, "API key"),
    field,
    submit,
    problem,
    h("p", { class: "hint" }, "The key stays in this tab and is forgotten when it closes."),
  );
  root.replaceChildren(h("main", { class: "signin" }, form));
  field.focus();
}
