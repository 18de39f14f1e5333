// The drawer of one asset (or of an alert without one): facts, charts, findings, and what can be done about its
// alerts. Reads the fleet for what changes by the second and asks the API for the past.

import { AlertCard } from "./alert-card.ts";
import { TimeChart } from "./chart.ts";
import { type Client, Problem } from "./client.ts";
import { h, KeyedList, setData, setText, setTitle } from "./dom.ts";
import type { Fleet } from "./fleet.ts";
import {
  ago,
  course,
  evidenceBrief,
  instant,
  nameAndUnit,
  position,
  quantity,
  ruleTitle,
  sentence,
  UNKNOWN,
} from "./format.ts";
import { shapeSvg } from "./icons.ts";
import { LifePanel } from "./life.ts";
import type { Selection } from "./session.ts";
import type { Alert, Asset, AssetState, Finding, Telemetry } from "./wire.ts";

/** What each class is drawn moving by. Any other class has its channels alone. */
const MOTION: Readonly<Record<string, readonly string[]>> = {
  vessel: ["sog_kn", "draught_m"],
  aircraft: ["gs_kn", "alt_baro_ft"],
};
const PERIODS: readonly { words: string; hours: number; bucket: string }[] = [
  { words: "1 h", hours: 1, bucket: "PT1M" },
  { words: "6 h", hours: 6, bucket: "PT1M" },
  { words: "24 h", hours: 24, bucket: "PT5M" },
];
const HOUR_MS = 3_600_000;
/** Charts, track and findings of an open drawer are asked for again this often; sooner, but not at once, on news. */
const REFRESH_MS = 30_000;
const NEWS_MS = 5000;
/** The API refuses more fields in one question. */
const FIELDS_MAX = 100;

export interface DetailHandlers {
  close(): void;
  track(lines: [number, number][][]): void;
  failed(problem: unknown): void;
}

export class Detail {
  readonly element = h("section", {
    class: "detail",
    "data-testid": "detail",
    "aria-labelledby": "detail-title",
    tabindex: -1,
    hidden: true,
  });
  readonly #facts = h("dl", { class: "facts" });
  readonly #fact = new Map<string, HTMLElement>();
  readonly #cards = h("div", { class: "cards" });
  readonly #findings = h("ul", { class: "findings" });
  readonly #channel = h("select", { "aria-label": "Channel", onchange: () => this.#drawCharts() });
  readonly #motion = new TimeChart(h("div", { class: "chart" }));
  readonly #chosen = new TimeChart(h("div", { class: "chart" }));
  readonly #title = h("h2", { id: "detail-title" });
  readonly #subtitle = h("p", { class: "subtitle" });
  readonly #badge = h("span", { class: "badge" });
  readonly #mark = h("span", { class: "mark" });
  readonly #keyedCards: KeyedList<Alert>;
  readonly #cardOf = new WeakMap<HTMLElement, AlertCard>();
  readonly #life: LifePanel;
  readonly #columns: HTMLElement;
  readonly #lifeButton: HTMLElement;
  /** The asset whose life is shown; null while the drawer shows the present. */
  #lifeOf: string | null = null;
  #period = PERIODS[1] as (typeof PERIODS)[number];
  #selection: Selection = { asset: null, alert: null };
  #telemetry: Telemetry | null = null;
  #asked_ms = 0;
  /** Answers to an earlier selection are dropped. */
  #turn = 0;

  constructor(
    readonly fleet: Fleet,
    readonly client: Client,
    readonly handlers: DetailHandlers,
  ) {
    this.#keyedCards = new KeyedList(
      this.#cards,
      (alert) => alert.id,
      (alert) => this.#card(alert),
      (row, alert) => this.#cardOf.get(row)?.show(alert, Date.now()),
    );
    this.#life = new LifePanel(client, handlers.failed);
    this.#lifeButton = h(
      "button",
      {
        class: "chip",
        type: "button",
        "aria-pressed": "false",
        "data-testid": "life-toggle",
        onclick: () => this.#showLife(this.#lifeOf === null ? this.#selection.asset : null),
      },
      "Life",
    );
    this.#columns = this.#body();
    this.element.append(this.#head(), this.#columns, this.#life.element);
  }

  /** Turns from the present to the life of an asset, and back with null. */
  #showLife(asset_id: string | null): void {
    if (asset_id === this.#lifeOf) return;
    this.#lifeOf = asset_id;
    this.#columns.hidden = asset_id !== null;
    this.#life.element.hidden = asset_id === null;
    this.element.classList.toggle("with-life", asset_id !== null);
    this.#lifeButton.setAttribute("aria-pressed", String(asset_id !== null));
    void this.#life.show(asset_id, Date.now());
  }

  /** Opens on a selection; with neither asset nor alert, closes. */
  select(selection: Selection): void {
    this.#selection = selection;
    this.#turn += 1;
    this.#telemetry = null;
    this.#asked_ms = 0;
    this.#showLife(this.#lifeOf === null ? null : selection.asset);
    this.#lifeButton.hidden = selection.asset === null;
    this.element.hidden = selection.asset === null && selection.alert === null;
    if (this.element.hidden) return;
    this.#findings.replaceChildren();
    this.#fillChannels();
    this.#motion.say("Reading…");
    this.#chosen.say("Reading…");
    this.show(Date.now());
    // Who came by keyboard goes on by keyboard; a mouse's click leaves the focus where it is.
    if (document.activeElement?.matches("button[data-row]:focus-visible"))
      this.element.focus({ preventScroll: true });
  }

  /** There is news of this asset: ask again within seconds, however much news there is. */
  readSoon(now_ms: number): void {
    this.#asked_ms = Math.min(this.#asked_ms, now_ms - REFRESH_MS + NEWS_MS);
  }

  /** Redraws what the second changes, and asks again for the past when it has aged. */
  show(now_ms: number): void {
    if (this.element.hidden) return;
    const { asset: asset_id, alert: alert_id } = this.#selection;
    const asset = asset_id === null ? undefined : this.fleet.assets.get(asset_id);
    const alerts = asset_id === null ? [] : this.fleet.alertsOf(asset_id);
    const lone = asset_id === null && alert_id !== null ? this.fleet.alerts.get(alert_id) : undefined;
    this.#showHead(asset, lone, alerts[0]);
    this.#showFacts(asset, asset_id === null ? undefined : this.fleet.states.get(asset_id), now_ms);
    this.#keyedCards.show(
      lone ? [lone] : [...alerts].sort((a, b) => Number(b.id === alert_id) - Number(a.id === alert_id)),
    );
    setData(this.#cards, "empty", String(this.#cards.childElementCount === 0));
    this.element.classList.toggle("without-asset", !asset);
    if (asset && now_ms - this.#asked_ms > REFRESH_MS) {
      this.#asked_ms = now_ms;
      void this.#ask(asset, now_ms);
    }
  }

  #head(): HTMLElement {
    const periods = h("div", { class: "chips", role: "group", "aria-label": "Period of the charts" });
    for (const period of PERIODS) {
      const choose = () => {
        this.#period = period;
        for (const each of periods.children) each.setAttribute("aria-pressed", String(each === button));
        this.#asked_ms = 0;
        this.show(Date.now());
      };
      const pressed = String(period === this.#period);
      const button = h(
        "button",
        { class: "chip", type: "button", "aria-pressed": pressed, onclick: choose },
        period.words,
      );
      periods.append(button);
    }
    const close = h(
      "button",
      {
        class: "quiet close",
        type: "button",
        "aria-label": "Close the detail",
        onclick: this.handlers.close,
      },
      "✕",
    );
    return h(
      "header",
      {},
      this.#mark,
      h("div", { class: "titles" }, this.#title, this.#subtitle),
      this.#badge,
      this.#lifeButton,
      periods,
      close,
    );
  }

  #body(): HTMLElement {
    const facts = h("div", { class: "column" }, this.#facts);
    const charts = h(
      "div",
      { class: "column charts" },
      h("div", { class: "chart-head" }, this.#motion.readout),
      this.#motion.element,
      h("div", { class: "chart-head" }, this.#channel, this.#chosen.readout),
      this.#chosen.element,
    );
    const story = h(
      "div",
      { class: "column story" },
      h("h3", {}, "Open alerts"),
      this.#cards,
      h("h3", {}, "Findings"),
      this.#findings,
    );
    return h("div", { class: "columns" }, facts, charts, story);
  }

  #showHead(asset: Asset | undefined, lone: Alert | undefined, worst: Alert | undefined): void {
    setText(this.#title, asset?.name ?? (lone ? ruleTitle(lone.rule) : "Not in this fleet"));
    if (this.#mark.dataset.class !== (asset?.class ?? "")) {
      this.#mark.dataset.class = asset?.class ?? "";
      this.#mark.replaceChildren(...(asset ? [shapeSvg(asset.class)] : []));
    }
    const schemes = asset?.identifiers.map(({ scheme, value }) => `${scheme.toUpperCase()} ${value}`) ?? [];
    const type = asset ? sentence(asset.type ?? asset.class) : (lone?.asset ?? "");
    setText(this.#subtitle, [type, ...schemes].filter(Boolean).join("  ·  "));
    const severity = (worst ?? lone)?.severity ?? "none";
    setData(this.#badge, "severity", severity);
    setData(this.#mark, "severity", severity);
    setText(this.#badge, severity === "none" ? "No open alert" : severity);
  }

  #showFacts(asset: Asset | undefined, state: AssetState | undefined, now_ms: number): void {
    const aircraft = asset?.class === "aircraft";
    const placed = state && state.lat_deg !== null && state.lon_deg !== null;
    this.#put("Last heard", ago(state?.heard_ms ?? null, now_ms), state ? instant(state.time_ms) : "");
    this.#put("Position", placed ? position(state.lat_deg as number, state.lon_deg as number) : UNKNOWN);
    this.#put("Speed", state?.speed ? quantity(state.speed.value, state.speed.unit) : UNKNOWN);
    this.#put("Course", course(state?.course_deg ?? null));
    if (aircraft) this.#put("Altitude", quantity(state?.altitude_ft ?? null, "ft"));
    else {
      this.#put("Draught", quantity(state?.draught_m ?? null, "m"));
      this.#put("Displacement", quantity(state?.displacement_t ?? null, "t"), state?.weight_reason ?? "");
    }
    this.#put("Status", state?.operating_status ? sentence(state.operating_status) : UNKNOWN);
    this.#put("Stage", sentence(state?.stage ?? asset?.stage ?? UNKNOWN));
    this.#put("Lease", state?.lease ?? asset?.lease ?? UNKNOWN);
    if (state?.coverage) this.#put("Coverage", sentence(state.coverage));
  }

  #put(label: string, text: string, title = ""): void {
    let value = this.#fact.get(label);
    if (value === undefined) {
      value = h("dd");
      this.#fact.set(label, value);
      this.#facts.append(h("div", {}, h("dt", {}, label), value));
    }
    setText(value, text);
    setTitle(value, title);
  }

  #card(alert: Alert): HTMLElement {
    const card = new AlertCard(alert, async (action, reason, kind) => {
      const after = await this.client.act(alert.id, action, reason, kind);
      if (after && after.id === alert.id) this.fleet.offerAlert(after);
      else if (action !== "acknowledge") this.fleet.removeAlert(alert.id);
      this.show(Date.now());
    });
    this.#cardOf.set(card.element, card);
    return card.element;
  }

  /** Channels worth a look: those that open alerts name first, then all the asset was last heard to send. */
  #channels(asset_id: string): string[] {
    const named = this.fleet
      .alertsOf(asset_id)
      .flatMap((alert) => (alert.subject === null ? [] : [alert.subject]));
    const sent = this.fleet.states.get(asset_id)?.channels ?? [];
    const read = [...(this.#telemetry?.fields.keys() ?? [])];
    const motion = MOTION[this.fleet.assets.get(asset_id)?.class ?? ""] ?? [];
    const known = new Set([...sent, ...read]);
    return [...new Set([...named.filter((name) => known.has(name)), ...sent, ...read])].filter(
      (name) => !motion.includes(name),
    );
  }

  #fillChannels(): void {
    const names = this.#channels(this.#selection.asset ?? "");
    const chosen = this.#channel.value;
    if (names.join() === [...this.#channel.options].map((option) => option.value).join()) return;
    this.#channel.replaceChildren(
      ...names.map((name) => h("option", { value: name }, sentence(nameAndUnit(name).words))),
    );
    if (this.#telemetry !== null && names.includes(chosen)) this.#channel.value = chosen;
    this.#channel.hidden = names.length === 0;
  }

  async #ask(asset: Asset, now_ms: number): Promise<void> {
    const turn = this.#turn;
    const last_ms = this.fleet.states.get(asset.id)?.time_ms ?? now_ms;
    const to_ms = last_ms + 60_000; // a silent asset's last day is the one before it fell silent
    const from_ms = to_ms - this.#period.hours * HOUR_MS;
    // Draught is not shared with every key; where the state does not know it, asking would be refused.
    const unknown = this.fleet.states.get(asset.id)?.draught_m == null ? ["draught_m"] : [];
    const motion = (MOTION[asset.class] ?? []).filter((field) => !unknown.includes(field));
    const fields = [...motion, ...this.#channels(asset.id)].slice(0, FIELDS_MAX);
    const asked = [
      this.client
        .track(asset.id, to_ms - 24 * HOUR_MS, to_ms)
        .then((lines) => turn === this.#turn && this.handlers.track(lines)),
      this.client
        .findings(asset.id)
        .then((findings) => turn === this.#turn && this.#showFindings(findings, now_ms)),
      this.client.telemetry(asset.id, from_ms, to_ms, fields, this.#period.bucket).then((telemetry) => {
        if (turn !== this.#turn) return;
        this.#telemetry = telemetry;
        this.#fillChannels();
        this.#drawCharts();
      }),
    ];
    for (const result of await Promise.allSettled(asked)) {
      if (result.status === "fulfilled" || turn !== this.#turn) continue;
      this.handlers.failed(result.reason);
      if (this.#telemetry === null) {
        this.#motion.say(result.reason instanceof Problem ? result.reason.message : "Could not be read.");
        this.#chosen.say("");
      }
    }
  }

  #drawCharts(): void {
    if (this.#telemetry === null) return;
    const asset = this.fleet.assets.get(this.#selection.asset ?? "");
    this.#motion.show(this.#telemetry, MOTION[asset?.class ?? ""] ?? []);
    if (this.#channel.value) this.#chosen.show(this.#telemetry, [this.#channel.value], 2);
    else this.#chosen.say("No channel was read in this period.");
  }

  #showFindings(findings: Finding[], now_ms: number): void {
    const newest = [...findings].sort((a, b) => (b.opened_ms ?? 0) - (a.opened_ms ?? 0));
    const rows = newest.map((finding) =>
      h(
        "li",
        { "data-testid": "finding-row", "data-rule": finding.rule, "data-severity": finding.severity },
        h("span", { class: "mark" }, finding.severity),
        h("span", { class: "what" }, ruleTitle(finding.rule)),
        h("span", { class: "since", title: instant(finding.opened_ms) }, ago(finding.opened_ms, now_ms)),
        h("span", { class: "why" }, evidenceBrief(finding.evidence)),
      ),
    );
    this.#findings.replaceChildren(
      ...(rows.length > 0 ? rows : [h("li", { class: "note" }, "None so far.")]),
    );
  }
}
