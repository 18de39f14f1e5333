// The life of one asset in the drawer: its stages, leases and milestones on a line of time, the lease in force with what was
// used in it, and the files that others ask for. Asks the API once for each asset that is looked at.

import type { Client } from "./client.ts";
import { h, setText } from "./dom.ts";
import { number, quantity, sentence, UNKNOWN } from "./format.ts";
import { type Life, type LifeLease, type Piece, placed, readLife, span, years } from "./life-line.ts";

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/** A milestone list longer than this scrolls past what anybody reads; the newest are kept. */
const MILESTONES_MAX = 60;

export class LifePanel {
  readonly element = h("div", { class: "life", "data-testid": "life", hidden: true });
  readonly #facts = h("dl", { class: "facts" });
  readonly #line = h("div", {
    class: "life-line",
    role: "img",
    "aria-label": "Stages, leases and milestones",
  });
  readonly #story = h("ul", { class: "life-story" });
  readonly #note = h("p", { class: "note" });
  readonly #files = h("div", { class: "life-files" });
  readonly #month = h("input", { type: "month", "aria-label": "Month of the pack" });
  #asset_id: string | null = null;
  #turn = 0;

  constructor(
    readonly client: Client,
    readonly failed: (problem: unknown) => void,
  ) {
    this.#files.append(
      this.#button("Monthly pack", () => this.#pack()),
      this.#month,
      this.#button("CSV", () => this.#file("text/csv", "csv")),
      this.#button("XLSX", () => this.#file(XLSX, "xlsx")),
    );
    this.element.append(
      h("div", { class: "column life-facts" }, h("h3", {}, "Lease in force"), this.#facts, this.#files),
      h("div", { class: "column" }, this.#line, this.#note),
      h("div", { class: "column story" }, h("h3", {}, "Milestones"), this.#story),
    );
  }

  /** Shows the life of an asset, asking for it; null forgets. */
  async show(asset_id: string | null, now_ms: number): Promise<void> {
    this.#turn += 1;
    const turn = this.#turn;
    this.#asset_id = asset_id;
    this.#line.replaceChildren();
    this.#story.replaceChildren();
    this.#facts.replaceChildren();
    setText(this.#note, asset_id === null ? "" : "Reading…");
    this.#month.value = new Date(now_ms - 86_400_000 * new Date(now_ms).getUTCDate())
      .toISOString()
      .slice(0, 7);
    if (asset_id === null) return;
    try {
      const life = readLife(await this.client.lifecycle(asset_id));
      if (turn === this.#turn) this.#draw(life, now_ms);
    } catch (problem) {
      if (turn !== this.#turn) return;
      setText(this.#note, "Could not be read.");
      this.failed(problem);
    }
  }

  #draw(life: Life, now_ms: number): void {
    const ends = span(life, now_ms);
    const rows: [string, readonly Piece[], string][] = [
      ["Stages", life.stages, "stage"],
      ["Leases", life.leases, "lease"],
    ];
    this.#line.replaceChildren(
      ...rows.map(([label, pieces, kind]) => this.#band(label, pieces, kind, ends, now_ms)),
      this.#milestones(life, ends),
      this.#axis(ends, now_ms),
    );
    const empty = life.stages.length + life.leases.length + life.milestones.length === 0;
    setText(this.#note, empty ? "Nothing is recorded of its life so far." : "");
    this.#drawFacts(
      life,
      life.leases.find((each) => each.in_force),
    );
    const told = [...life.milestones].reverse().slice(0, MILESTONES_MAX);
    this.#story.replaceChildren(
      ...told.map((each) =>
        h(
          "li",
          { "data-testid": "milestone" },
          h("span", { class: "what" }, sentence(each.kind)),
          h("span", { class: "since" }, new Date(each.at_ms).toISOString().slice(0, 10)),
          h("span", { class: "why" }, each.words),
        ),
      ),
      ...(told.length > 0 ? [] : [h("li", { class: "note" }, "None so far.")]),
    );
  }

  #drawFacts(life: Life, lease: LifeLease | undefined): void {
    const use = lease?.use ?? null;
    const facts: [string, string][] = [
      ["Stage", sentence(life.stage ?? UNKNOWN)],
      ["Lessee", lease?.label ?? "off lease"],
      ["Form", lease ? sentence(lease.form) : UNKNOWN],
      ["To redelivery", lease ? quantity(lease.days_to_redelivery, "d") : UNKNOWN],
    ];
    if (use?.flight_h !== null && use?.flight_h !== undefined)
      facts.push(["In this lease", `${number(use.flight_h)} FH · ${number(use.cycles ?? 0)} FC`]);
    else if (use) facts.push(["In this lease", quantity(use.distance_nm, "nm")]);
    if (use?.coverage !== null && use?.coverage !== undefined)
      facts.push(["Coverage", use.coverage.toFixed(3) + (use.is_estimate ? ", an estimate" : "")]);
    this.#facts.replaceChildren(
      ...facts.map(([label, text]) => h("div", {}, h("dt", {}, label), h("dd", {}, text))),
    );
  }

  #band(
    label: string,
    pieces: readonly Piece[],
    kind: string,
    ends: readonly [number, number],
    now_ms: number,
  ): HTMLElement {
    const row = h("div", { class: "life-band" });
    for (const { piece, left_pct, width_pct } of placed(pieces, ends, now_ms)) {
      const words = kind === "stage" ? sentence(piece.label) : piece.label;
      const title = `${words}: ${day(piece.from_ms)} to ${piece.to_ms === null ? "now" : day(piece.to_ms)} (${piece.title})`;
      const part = h("span", { class: `life-piece ${kind}`, "data-label": piece.label, title }, words);
      part.style.left = `${left_pct}%`;
      part.style.width = `${Math.max(width_pct, 0.3)}%`;
      row.append(part);
    }
    return h("div", { class: "life-row" }, h("span", { class: "life-label" }, label), row);
  }

  #milestones(life: Life, [from_ms, to_ms]: readonly [number, number]): HTMLElement {
    const row = h("div", { class: "life-band life-marks" });
    for (const each of life.milestones) {
      const left_pct = (100 * (each.at_ms - from_ms)) / (to_ms - from_ms);
      if (left_pct > 100) continue;
      const mark = h("span", { class: "life-mark", title: each.words });
      mark.style.left = `${left_pct}%`;
      row.append(mark);
    }
    return h("div", { class: "life-row" }, h("span", { class: "life-label" }, "Milestones"), row);
  }

  #axis(ends: readonly [number, number], now_ms: number): HTMLElement {
    const row = h("div", { class: "life-band life-years" });
    for (const { year, left_pct } of years(ends)) {
      const tick = h("span", { class: "life-year" }, String(year));
      tick.style.left = `${left_pct}%`;
      row.append(tick);
    }
    const now = h("span", { class: "life-now", title: "now" });
    now.style.left = `${(100 * (now_ms - ends[0])) / (ends[1] - ends[0])}%`;
    row.append(now);
    return h("div", { class: "life-row" }, h("span", { class: "life-label" }), row);
  }

  #button(words: string, act: () => Promise<void>): HTMLElement {
    return h(
      "button",
      { type: "button", class: "chip", onclick: () => void act().catch((problem) => this.failed(problem)) },
      words,
    );
  }

  /** The pack opens in a tab of its own, from which it is printed. */
  async #pack(): Promise<void> {
    if (this.#asset_id === null) return;
    const path = `assets/${encodeURIComponent(this.#asset_id)}/months/${this.#month.value}/pack`;
    const address = URL.createObjectURL(await this.client.file(path, "text/html"));
    window.open(address, "_blank");
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  async #file(media: string, ending: string): Promise<void> {
    if (this.#asset_id === null) return;
    const path = `assets/${encodeURIComponent(this.#asset_id)}/lifecycle`;
    const address = URL.createObjectURL(await this.client.file(path, media));
    h("a", { href: address, download: `life-${this.#asset_id}.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
}

function day(at_ms: number | null): string {
  return at_ms === null ? "always" : new Date(at_ms).toISOString().slice(0, 10);
}
