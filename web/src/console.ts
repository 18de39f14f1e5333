// The page once signed in: lays the panels out, feeds them, and keeps them, the map and the address bar in step.

import { AlertList } from "./alert-list.ts";
import { AssetList } from "./asset-list.ts";
import { type Client, Problem } from "./client.ts";
import { Detail } from "./detail.ts";
import { h, setText } from "./dom.ts";
import { Feeds } from "./feeds.ts";
import { Fleet } from "./fleet.ts";
import type { FleetMap } from "./map.ts";
import { readSelection, type Selection, writeSelection } from "./session.ts";
import type { ServerEvent } from "./sse.ts";
import { Stream } from "./stream.ts";
import { Summary } from "./summary.ts";
import { readFinding } from "./wire.ts";

/** Panels and map are redrawn at most this often, however fast events come. */
const FRAME_MS = 1000;
/** Whole answers are asked for again this often, so that nothing the stream missed stays wrong. */
const RESYNC_MS = 120_000;
const FEEDS_MS = 30_000;
const NOTICE_MS = 8000;

export class Console {
  readonly #fleet = new Fleet();
  readonly #summary: Summary;
  readonly #alerts: AlertList;
  readonly #assets: AssetList;
  readonly #detail: Detail;
  readonly #feeds = new Feeds();
  readonly #notice = h("p", { class: "notice", role: "alert", hidden: true });
  readonly #mapBox = h("div", {
    class: "map",
    "data-testid": "map",
    role: "region",
    "aria-label": "Map of the fleet",
  });
  readonly #stream: Stream;
  readonly #timers: number[] = [];
  readonly #unlisten = new AbortController();
  #map: FleetMap | null = null;
  #drawnVersion = -1;
  #selection: Selection = { asset: null, alert: null };
  #noticeTimer = 0;
  #track: [number, number][][] = [];
  #syncing = false;
  #synced_ms = 0;
  readonly #refused = new Set<string>();

  constructor(
    readonly client: Client,
    readonly root: HTMLElement,
    readonly signOut: (message: string) => void,
  ) {
    this.#summary = new Summary(() => this.#leave(""));
    this.#alerts = new AlertList(this.#fleet, (alert) =>
      this.#select({ asset: alert.asset_id, alert: alert.id }),
    );
    this.#assets = new AssetList(this.#fleet, (asset) => this.#select({ asset, alert: null }));
    this.#detail = new Detail(this.#fleet, client, {
      close: () => this.#select({ asset: null, alert: null }),
      track: (lines) => this.#showTrack(lines),
      failed: (problem) => this.#failed(problem),
    });
    this.#stream = new Stream(client, {
      event: (event) => this.#event(event),
      state: (state) =>
        state.name === "refused" ? this.#leave("The key was refused.") : this.#summary.showStream(state),
      resumed: () => void this.#resync(),
    });
  }

  /** Shows the fleet. Throws Problem when the first answers cannot be had: the caller decides what that means. */
  async open(): Promise<void> {
    await this.#load();
    this.#lay();
    this.#listen();
    this.#select(readSelection());
    this.#every(FRAME_MS, () => this.#frame());
    this.#every(RESYNC_MS, () => void this.#resync());
    this.#every(FEEDS_MS, () => void this.#readFeeds());
    void this.#readFeeds();
    void this.#stream.run();
    void this.#openMap();
  }

  /** The map is most of the page's weight, so the lists do not wait for it; where it cannot be drawn, they stand alone. */
  async #openMap(): Promise<void> {
    try {
      const { FleetMap } = await import("./map.ts");
      const map = await FleetMap.open(this.#mapBox, (asset) => this.#select({ asset, alert: null }));
      if (this.#unlisten.signal.aborted) {
        map.remove();
        return;
      }
      this.#map = map;
    } catch (fault) {
      const why = fault instanceof Error ? fault.message : String(fault);
      this.#mapBox.replaceChildren(
        h("p", { class: "map-fault", role: "alert" }, `The map cannot be drawn here. ${why}`),
      );
      return;
    }
    this.#map.draw(this.#fleet, Date.now());
    this.#map.select(this.#selection.asset, this.#dock_px());
    this.#map.setTrack(this.#track); // it may have been read before the map stood
  }

  #showTrack(lines: [number, number][][]): void {
    this.#track = lines;
    this.#map?.setTrack(lines);
  }

  async #load(): Promise<void> {
    const [assets, states, alerts] = await Promise.all([
      this.client.assets(),
      this.client.states(),
      this.client.openAlerts(),
    ]);
    this.#fleet.setAssets(assets);
    this.#fleet.setStates(states);
    this.#fleet.setOpenAlerts(alerts);
  }

  #lay(): void {
    const showAll = h(
      "button",
      { class: "quiet fit", type: "button", onclick: () => this.#map?.showAll() },
      "Show all",
    );
    const left = h("div", { class: "left" }, this.#assets.element, this.#feeds.element);
    const middle = h(
      "main",
      { class: "middle" },
      this.#mapBox,
      legend(),
      showAll,
      this.#notice,
      this.#detail.element,
    );
    this.root.replaceChildren(
      h("div", { class: "console" }, this.#summary.element, left, middle, this.#alerts.element),
    );
  }

  #listen(): void {
    const { signal } = this.#unlisten;
    addEventListener("popstate", () => this.#select(readSelection()), { signal });
    addEventListener(
      "keydown",
      (event) => {
        const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
        if (event.key === "Escape" && !typing) this.#select({ asset: null, alert: null });
        if (event.key !== "/" || typing) return;
        event.preventDefault();
        this.#assets.search.focus();
      },
      { signal },
    );
  }

  #frame(): void {
    const now_ms = Date.now();
    this.#summary.show(this.#fleet, now_ms);
    this.#alerts.show(now_ms, this.#selection.alert);
    this.#assets.show(now_ms, this.#selection.asset);
    this.#detail.show(now_ms);
    if (this.#map === null || this.#fleet.version === this.#drawnVersion) return;
    this.#drawnVersion = this.#fleet.version;
    this.#map.draw(this.#fleet, now_ms);
  }

  #select(selection: Selection): void {
    const moved = selection.asset !== this.#selection.asset;
    this.#selection = selection;
    writeSelection(selection);
    if (moved) this.#showTrack([]);
    this.#detail.select(selection);
    this.#frame();
    if (moved) this.#map?.select(selection.asset, this.#dock_px());
  }

  #dock_px(): number {
    return this.#detail.element.hidden ? 0 : this.#detail.element.offsetHeight;
  }

  #event({ event, data }: ServerEvent): void {
    const value = parsed(data);
    if (event === "state") {
      const asset_id = this.#fleet.takeState(value, Date.now());
      if (asset_id !== null && !this.#fleet.assets.has(asset_id)) void this.#resync(); // registered a moment ago
    } else if (event === "alert") this.#fleet.takeAlert(value);
    else if (event === "finding" && readFinding(value)?.asset_id === this.#selection.asset)
      this.#detail.readSoon(Date.now());
  }

  /** Bounded: one at a time, and no more than one in five seconds whatever the events ask. */
  async #resync(): Promise<void> {
    if (this.#syncing || Date.now() - this.#synced_ms < 5000) return;
    this.#syncing = true;
    try {
      await this.#load();
    } catch (problem) {
      this.#failed(problem);
    } finally {
      this.#syncing = false;
      this.#synced_ms = Date.now();
    }
  }

  /** A narrower key may read neither; what was refused once is not asked for again. */
  async #readFeeds(): Promise<void> {
    const feeds = await this.#unlessRefused("feeds", () => this.client.feeds());
    const rejected = await this.#unlessRefused("rejections", () => this.client.rejectionCount());
    if (feeds === null) this.#feeds.unknown();
    else this.#feeds.show(feeds, rejected, Date.now());
  }

  async #unlessRefused<T>(name: string, ask: () => Promise<T>): Promise<T | null> {
    if (this.#refused.has(name)) return null;
    try {
      return await ask();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      if (problem.status === 401) this.#failed(problem);
      if (problem.status === 403 || problem.status === 404) this.#refused.add(name);
      return null;
    }
  }

  #failed(problem: unknown): void {
    if (!(problem instanceof Problem)) throw problem;
    if (problem.status === 401) {
      this.#leave(problem.message);
      return;
    }
    setText(this.#notice, problem.message);
    this.#notice.hidden = false;
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.#notice.hidden = true;
    }, NOTICE_MS);
  }

  #every(period_ms: number, act: () => void): void {
    this.#timers.push(setInterval(act, period_ms));
  }

  #leave(message: string): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#unlisten.abort();
    this.#stream.stop();
    this.#map?.remove();
    this.signOut(message);
  }
}

function legend(): HTMLElement {
  const entries = ["critical", "warning", "info", "none"].map((level) =>
    h("span", { "data-severity": level }, h("i"), level === "none" ? "no alert" : level),
  );
  return h("div", { class: "legend", "aria-hidden": "true" }, ...entries);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // an event that is not JSON says nothing to this page
  }
}
