// What the page knows: assets, their last states, open alerts. Written by answers and stream events, read by panels
// and map. Knows nothing of either. Bounded by the fleet: one state an asset, and only open alerts are kept.

import {
  type Alert,
  type Asset,
  type AssetState,
  readAlert,
  readState,
  SEVERITIES,
  type Severity,
} from "./wire.ts";

/** "Heard lately" on the summary: chosen, twice the longest reporting interval of a moored ship (6 min, class A: 3). */
export const FRESH_MS = 600_000;

export class Fleet {
  readonly assets = new Map<string, Asset>();
  readonly states = new Map<string, AssetState>();
  readonly alerts = new Map<string, Alert>();
  /** Raised by every change; a reader compares it with the one it drew. */
  version = 0;
  #worst: Map<string, Severity> | null = null;

  setAssets(assets: readonly Asset[]): void {
    this.assets.clear();
    for (const asset of assets) this.assets.set(asset.id, asset);
    this.#changed();
  }

  /** A snapshot never overwrites a newer state that the stream brought meanwhile. */
  setStates(states: readonly AssetState[]): void {
    for (const state of states) this.#offer(state);
    this.#changed();
  }

  setOpenAlerts(alerts: readonly Alert[]): void {
    this.alerts.clear();
    for (const alert of alerts) if (isOpen(alert)) this.alerts.set(alert.id, alert);
    this.#changed();
  }

  /** A `state` event. Returns the asset it speaks of, or null when it is unreadable. */
  takeState(data: unknown, now_ms: number): string | null {
    const state = readState(data, now_ms);
    if (state === null) return null;
    this.#offer(state);
    this.#changed();
    return state.asset_id;
  }

  /** An `alert` event. Higher revisions win; one no longer open leaves the list. */
  takeAlert(data: unknown): Alert | null {
    const alert = readAlert(data);
    return alert === null ? null : this.offerAlert(alert);
  }

  /** Takes an alert already read. Returns the one that stands. */
  offerAlert(alert: Alert): Alert {
    const known = this.alerts.get(alert.id);
    if (known && known.revision > alert.revision) return known;
    if (isOpen(alert)) this.alerts.set(alert.id, alert);
    else this.alerts.delete(alert.id);
    this.#changed();
    return alert;
  }

  removeAlert(alert_id: string): void {
    if (this.alerts.delete(alert_id)) this.#changed();
  }

  /** The worst severity open on each asset. */
  worst(): ReadonlyMap<string, Severity> {
    if (this.#worst === null) {
      this.#worst = new Map();
      for (const { asset_id, severity } of this.alerts.values()) {
        if (asset_id === null) continue;
        const known = this.#worst.get(asset_id);
        if (known === undefined || rank(severity) < rank(known)) this.#worst.set(asset_id, severity);
      }
    }
    return this.#worst;
  }

  /** Worst first, then newest. */
  /** The worst first; those of one incident together, behind its worst. */
  sortedAlerts(): Alert[] {
    const sorted = [...this.alerts.values()].sort(
      (a, b) => rank(a.severity) - rank(b.severity) || (b.opened_ms ?? 0) - (a.opened_ms ?? 0),
    );
    const stories = new Map<string, Alert[]>();
    for (const alert of sorted) {
      const story = stories.get(alert.incident_id ?? alert.id);
      if (story) story.push(alert);
      else stories.set(alert.incident_id ?? alert.id, [alert]);
    }
    return [...stories.values()].flat();
  }

  alertsOf(asset_id: string): Alert[] {
    return this.sortedAlerts().filter((alert) => alert.asset_id === asset_id);
  }

  /** The name to print for an alert: the asset's own, else what the alert calls it. */
  subjectName(alert: Alert): string {
    const asset = alert.asset_id === null ? undefined : this.assets.get(alert.asset_id);
    return asset?.name ?? alert.asset?.replace(/^feed:/, "Feed ") ?? "Fleet";
  }

  counts(now_ms: number): Counts {
    const counts: Counts = { vessel: 0, aircraft: 0, other: 0, fresh: 0, critical: 0, warning: 0, info: 0 };
    for (const asset of this.assets.values()) {
      if (asset.class === "vessel" || asset.class === "aircraft") counts[asset.class] += 1;
      else counts.other += 1;
      const heard_ms = this.states.get(asset.id)?.heard_ms ?? null;
      if (heard_ms !== null && now_ms - heard_ms <= FRESH_MS) counts.fresh += 1;
    }
    for (const alert of this.alerts.values()) counts[alert.severity] += 1;
    return counts;
  }

  /** A state is whole: what it does not know is not known any more. */
  #offer(state: AssetState): void {
    const known = this.states.get(state.asset_id);
    if (known && (known.time_ms ?? 0) > (state.time_ms ?? 0)) return;
    this.states.set(state.asset_id, state);
  }

  #changed(): void {
    this.version += 1;
    this.#worst = null;
  }
}

export interface Counts {
  vessel: number;
  aircraft: number;
  other: number;
  fresh: number;
  critical: number;
  warning: number;
  info: number;
}

function isOpen(alert: Alert): boolean {
  return alert.status === "open" || alert.status === "acknowledged";
}

export function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
