// Whether the world is being heard: feeds and how much of what they sent was refused.

import { h, setText } from "./dom.ts";
import { ago } from "./format.ts";
import type { Feed } from "./wire.ts";

/** Feeds listed by name; a tenant has a handful, and the rest is counted. */
const ROWS_MAX = 6;

export class Feeds {
  readonly element: HTMLElement;
  readonly #list = h("ul", { class: "feeds" });
  readonly #rejected = h("span", { class: "rejected", "data-testid": "rejection-count" });

  constructor() {
    const head = h("div", { class: "panel-head" }, h("h2", { id: "feeds-title" }, "Feeds"), this.#rejected);
    this.element = h(
      "section",
      { class: "panel feeds-panel", "aria-labelledby": "feeds-title", hidden: true },
      head,
      this.#list,
    );
  }

  show(feeds: readonly Feed[], rejected: number | null, now_ms: number): void {
    this.element.hidden = feeds.length === 0;
    const count = rejected === null ? "" : `${rejected.toLocaleString("en-GB")} rejected`;
    setText(this.#rejected, rejected === 0 ? "nothing rejected" : count);
    const rows = feeds
      .slice(0, ROWS_MAX)
      .map((feed) =>
        h(
          "li",
          { "data-testid": "feed-row", "data-status": feed.status ?? "unknown" },
          h("span", { class: "name" }, feed.name),
          h(
            "span",
            { class: "since" },
            feed.last_ms === null ? (feed.status ?? "") : ago(feed.last_ms, now_ms),
          ),
        ),
      );
    if (feeds.length > ROWS_MAX) rows.push(h("li", { class: "note" }, `and ${feeds.length - ROWS_MAX} more`));
    this.#list.replaceChildren(...rows);
  }

  unknown(): void {
    this.element.hidden = true;
  }
}
