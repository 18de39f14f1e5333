// Every asset, searchable by name, type, lessee and any identifier. Those with open alerts come first.

import { h, KeyedList, setData, setText, setTitle, walkWithArrows } from "./dom.ts";
import { type Fleet, FRESH_MS, rank } from "./fleet.ts";
import { ago, instant, quantity, sentence } from "./format.ts";
import { shapeSvg } from "./icons.ts";
import type { Asset } from "./wire.ts";

/** Rows drawn at first and added by a press; five thousand rows redrawn each second would be felt. */
const ROWS_STEP = 200;

type Kind = "all" | "vessel" | "aircraft";

// Found by their number, or on what they sit on; they never speak themselves.
const COMPONENTS = new Set(["engine", "apu", "landing_gear", "car"]);

export class AssetList {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  readonly #list = h("ul", { class: "rows", "aria-label": "Assets" });
  readonly #note = h("p", { class: "note", role: "status" });
  readonly #more = h(
    "button",
    { class: "quiet more", type: "button", onclick: () => this.#showMore() },
    "Show more",
  );
  readonly #keyed: KeyedList<Asset>;
  readonly #haystacks = new WeakMap<Asset, string>();
  #kind: Kind = "all";
  #rows_max = ROWS_STEP;
  #now_ms = 0;
  #selected: string | null = null;

  constructor(
    readonly fleet: Fleet,
    readonly onPick: (asset_id: string) => void,
  ) {
    this.#keyed = new KeyedList(
      this.#list,
      (asset) => asset.id,
      (asset) => this.#row(asset),
      (row, asset) => this.#fill(row, asset),
    );
    this.search = h("input", {
      type: "search",
      placeholder: "Name, IMO, registration, lessee…",
      "aria-label": "Search assets",
      "data-testid": "asset-search",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.#again(),
    });
    const kinds = h("div", { class: "chips", role: "group", "aria-label": "Classes shown" });
    for (const kind of ["all", "vessel", "aircraft"] as const) kinds.append(this.#kindButton(kind, kinds));
    this.element = h(
      "section",
      { class: "panel assets", "aria-labelledby": "assets-title" },
      h("div", { class: "panel-head" }, h("h2", { id: "assets-title" }, "Assets"), kinds),
      h("div", { class: "search" }, this.search),
      this.#list,
      this.#more,
      this.#note,
    );
    walkWithArrows(this.#list);
  }

  show(now_ms: number, selected: string | null): void {
    this.#now_ms = now_ms;
    this.#selected = selected;
    const found = this.#found();
    this.#keyed.show(found.slice(0, this.#rows_max));
    this.#more.hidden = found.length <= this.#rows_max;
    const note = this.fleet.assets.size === 0 ? "No asset is registered yet." : "No asset matches.";
    setText(this.#note, found.length === 0 ? note : "");
  }

  #found(): Asset[] {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const worst = this.fleet.worst();
    const order = (asset: Asset) => {
      const severity = worst.get(asset.id);
      return severity === undefined ? 9 : rank(severity);
    };
    return [...this.fleet.assets.values()]
      .filter((asset) => this.#kind === "all" || asset.class === this.#kind)
      .filter((asset) => words.length > 0 || !COMPONENTS.has(asset.class) || worst.has(asset.id))
      .filter((asset) => words.every((word) => this.#haystack(asset).includes(word)))
      .sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  #haystack(asset: Asset): string {
    let text = this.#haystacks.get(asset);
    if (text === undefined) {
      const identifiers = asset.identifiers.map(({ scheme, value }) => `${scheme}:${value}`);
      text = [asset.name, asset.type, asset.class, asset.lease, ...identifiers].join(" ").toLowerCase();
      this.#haystacks.set(asset, text);
    }
    return text;
  }

  #kindButton(kind: Kind, group: HTMLElement): HTMLElement {
    const words = { all: "All", vessel: "Ships", aircraft: "Aircraft" };
    const choose = () => {
      this.#kind = kind;
      for (const each of group.children) each.setAttribute("aria-pressed", String(each === button));
      this.#again();
    };
    const button = h("button", {
      class: "chip",
      type: "button",
      "aria-pressed": String(kind === "all"),
      onclick: choose,
    });
    button.append(words[kind]);
    return button;
  }

  #row(asset: Asset): HTMLElement {
    const mark = h("span", { class: "mark" });
    mark.append(shapeSvg(asset.class));
    const button = h(
      "button",
      { type: "button", class: "row", "data-row": true, onclick: () => this.onPick(asset.id) },
      mark,
      h("span", { class: "who" }),
      h("span", { class: "since" }),
      h("span", { class: "why" }),
      h("span", { class: "speed" }),
    );
    return h(
      "li",
      { "data-testid": "asset-row", "data-asset-id": asset.id, "data-class": asset.class },
      button,
    );
  }

  #fill(row: HTMLElement, asset: Asset): void {
    const state = this.fleet.states.get(asset.id);
    const heard_ms = state?.heard_ms ?? null;
    const [, who, since, why, speed] = row.querySelectorAll<HTMLElement>("span");
    if (!who || !since || !why || !speed) return;
    setText(who, asset.name);
    setText(since, heard_ms === null ? "never heard" : ago(heard_ms, this.#now_ms));
    setTitle(since, heard_ms === null ? "" : `Last heard ${instant(state?.time_ms ?? heard_ms)}`);
    setText(
      why,
      [asset.type, state?.operating_status].flatMap((text) => (text ? [sentence(text)] : [])).join(" · "),
    );
    setText(speed, state?.speed ? quantity(state.speed.value, state.speed.unit) : "");
    setData(row, "severity", this.fleet.worst().get(asset.id) ?? "none");
    setData(row, "fresh", String(heard_ms !== null && this.#now_ms - heard_ms <= FRESH_MS));
    const button = row.firstElementChild;
    const current = String(asset.id === this.#selected);
    if (button && button.getAttribute("aria-current") !== current)
      button.setAttribute("aria-current", current);
  }

  #showMore(): void {
    this.#rows_max += ROWS_STEP;
    this.show(this.#now_ms, this.#selected);
  }

  #again(): void {
    this.#rows_max = ROWS_STEP;
    this.show(this.#now_ms, this.#selected);
    this.#list.scrollTop = 0;
  }
}
