// Open alerts, worst first. A row says what happened, to whom, since when and on what evidence, in two lines.

import { h, KeyedList, setData, setText, setTitle, walkWithArrows } from "./dom.ts";
import type { Fleet } from "./fleet.ts";
import { ago, evidenceBrief, instant, nameAndUnit, ruleTitle } from "./format.ts";
import { type Alert, SEVERITIES, type Severity } from "./wire.ts";

/** Rows drawn at once; the rest is counted below the list. Chosen: the API's own page of open alerts. */
const ROWS_MAX = 200;

export class AlertList {
  readonly element: HTMLElement;
  readonly #list = h("ul", { class: "rows", "aria-label": "Open alerts" });
  readonly #note = h("p", { class: "note", role: "status" });
  readonly #filters = new Map<Severity, HTMLButtonElement>();
  readonly #hidden = new Set<Severity>();
  /** Alerts drawn under another of their incident. */
  readonly #followers = new Set<string>();
  readonly #keyed: KeyedList<Alert>;
  #now_ms = 0;
  #selected: string | null = null;

  constructor(
    readonly fleet: Fleet,
    readonly onPick: (alert: Alert) => void,
  ) {
    this.#keyed = new KeyedList(
      this.#list,
      (alert) => alert.id,
      (alert) => this.#row(alert),
      (row, alert) => this.#fill(row, alert),
    );
    const filters = h("div", { class: "chips", role: "group", "aria-label": "Severities shown" });
    for (const severity of SEVERITIES) filters.append(this.#filter(severity));
    const head = h("div", { class: "panel-head" }, h("h2", { id: "alerts-title" }, "Open alerts"), filters);
    this.element = h(
      "section",
      { class: "panel alerts", "aria-labelledby": "alerts-title" },
      head,
      this.#list,
      this.#note,
    );
    walkWithArrows(this.#list);
  }

  show(now_ms: number, selected: string | null): void {
    this.#now_ms = now_ms;
    this.#selected = selected;
    const all = this.fleet.sortedAlerts();
    const wanted = all.filter((alert) => !this.#hidden.has(alert.severity));
    this.#followers.clear();
    wanted.forEach((alert, place) => {
      const before = wanted[place - 1];
      if (before && alert.incident_id !== null && before.incident_id === alert.incident_id)
        this.#followers.add(alert.id);
    });
    this.#keyed.show(wanted.slice(0, ROWS_MAX));
    const more = wanted.length - ROWS_MAX;
    const empty =
      all.length === 0
        ? "Nothing is open. New alerts appear here as they are raised."
        : "None of these severities.";
    setText(this.#note, more > 0 ? `and ${more} more` : wanted.length === 0 ? empty : "");
  }

  #filter(severity: Severity): HTMLElement {
    const toggle = () => {
      const shown = this.#hidden.delete(severity);
      if (!shown) this.#hidden.add(severity);
      button.setAttribute("aria-pressed", String(shown));
      this.show(this.#now_ms, this.#selected);
    };
    const button = h("button", {
      class: `chip ${severity}`,
      type: "button",
      "aria-pressed": "true",
      onclick: toggle,
    });
    button.append(severity);
    this.#filters.set(severity, button);
    return button;
  }

  #row(alert: Alert): HTMLElement {
    const pick = () => this.onPick(this.fleet.alerts.get(alert.id) ?? alert);
    const button = h(
      "button",
      { type: "button", class: "row", "data-row": true, onclick: pick },
      h("span", { class: "mark" }),
      h("span", { class: "what" }),
      h("span", { class: "since" }),
      h("span", { class: "who" }),
      h("span", { class: "why" }),
    );
    return h("li", { "data-testid": "alert-row" }, button);
  }

  #fill(row: HTMLElement, alert: Alert): void {
    setData(row, "rule", alert.rule);
    setData(row, "severity", alert.severity);
    setData(row, "alertId", alert.id);
    setData(row, "status", alert.status);
    setData(row, "incident", this.#followers.has(alert.id) ? "follows" : "leads");
    const [mark, what, since, who, why] = row.querySelectorAll<HTMLElement>("span");
    if (!mark || !what || !since || !who || !why) return;
    setText(mark, alert.severity);
    setText(what, ruleTitle(alert.rule));
    setText(since, ago(alert.opened_ms, this.#now_ms));
    setTitle(since, `Opened ${instant(alert.opened_ms)}`);
    setText(who, this.fleet.subjectName(alert));
    const subject = alert.subject === null ? "" : nameAndUnit(alert.subject).words;
    setText(why, evidenceBrief(alert.evidence) || subject);
    const button = row.firstElementChild;
    const current = String(alert.id === this.#selected);
    if (button && button.getAttribute("aria-current") !== current)
      button.setAttribute("aria-current", current);
  }
}
