// One open alert with its evidence and the three things a person can do about it, each with a reason.

import { type AlertAction, Problem } from "./client.ts";
import { h, setData, setText, setTitle } from "./dom.ts";
import { ago, evidenceBrief, factBrief, instant, ruleTitle } from "./format.ts";
import type { Alert } from "./wire.ts";

const ACTIONS: readonly { action: AlertAction; words: string }[] = [
  { action: "acknowledge", words: "Acknowledge" },
  { action: "resolve", words: "Resolve" },
  { action: "dismiss", words: "Dismiss" },
];

/** Why an alert is dismissed, in a word; a false alarm widens the threshold of its asset. */
const KINDS: readonly [string, string][] = [
  ["", "If dismissed: why?"],
  ["false_alarm", "False alarm: nothing had happened"],
  ["expected", "Expected: it was planned"],
  ["dealt_with", "Dealt with"],
  ["not_relevant", "Does not matter to us"],
  ["other", "Other"],
];

export class AlertCard {
  readonly element: HTMLElement;
  readonly #what = h("strong");
  readonly #since = h("span", { class: "since" });
  readonly #brief = h("p", { class: "why" });
  readonly #facts = h("ul", { class: "evidence" });
  readonly #reason = h("input", {
    type: "text",
    maxlength: 500,
    "aria-label": "Reason",
    "data-testid": "alert-reason",
  });
  readonly #kind = h(
    "select",
    { "aria-label": "Why dismissed", "data-testid": "alert-kind" },
    ...KINDS.map(([value, words]) => h("option", { value }, words)),
  );
  readonly #problem = h("p", { class: "problem", role: "alert" });
  readonly #buttons: HTMLButtonElement[];

  constructor(
    alert: Alert,
    readonly act: (action: AlertAction, reason: string, kind: string | null) => Promise<void>,
  ) {
    this.#reason.placeholder = "Reason, kept with the alert";
    this.#buttons = ACTIONS.map(({ action, words }) => {
      const press = () => void this.#press(action);
      return h("button", { type: "button", "data-testid": `alert-${action}`, onclick: press }, words);
    });
    this.element = h(
      "article",
      { class: "card", "data-testid": "alert-card", "data-rule": alert.rule },
      h("header", {}, this.#what, this.#since),
      this.#brief,
      h("details", {}, h("summary", {}, "Evidence"), this.#facts),
      this.#reason,
      this.#kind,
      h("div", { class: "actions" }, ...this.#buttons),
      this.#problem,
    );
  }

  show(alert: Alert, now_ms: number): void {
    setData(this.element, "severity", alert.severity);
    setData(this.element, "status", alert.status);
    setText(this.#what, ruleTitle(alert.rule));
    setText(
      this.#since,
      `${alert.status === "acknowledged" ? "acknowledged, " : ""}${ago(alert.opened_ms, now_ms)}`,
    );
    setTitle(this.#since, `Opened ${instant(alert.opened_ms)}`);
    setText(this.#brief, evidenceBrief(alert.evidence));
    const facts = Object.entries(alert.evidence).flatMap(([field, value]) => factBrief(field, value) || []);
    if (facts.join() !== [...this.#facts.children].map((each) => each.textContent).join()) {
      this.#facts.replaceChildren(...facts.map((fact) => h("li", {}, fact)));
    }
    const acknowledge = this.#buttons[0];
    if (acknowledge) acknowledge.hidden = alert.status === "acknowledged";
  }

  async #press(action: AlertAction): Promise<void> {
    const reason = this.#reason.value.trim();
    if (action !== "acknowledge" && reason === "") {
      setText(this.#problem, "Say why: the reason is kept with the alert.");
      this.#reason.focus();
      return;
    }
    setText(this.#problem, "");
    for (const button of this.#buttons) button.disabled = true;
    try {
      await this.act(
        action,
        reason,
        action === "dismiss" && this.#kind.value !== "" ? this.#kind.value : null,
      );
      this.#reason.value = "";
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setText(this.#problem, error.message);
    } finally {
      for (const button of this.#buttons) button.disabled = false;
    }
  }
}
