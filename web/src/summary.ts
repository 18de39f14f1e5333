// The bar along the top: what there is, what was heard, what is wrong, and whether the page is live.

import { h, setData, setText } from "./dom.ts";
import type { Fleet } from "./fleet.ts";
import { shapeSvg } from "./icons.ts";
import type { StreamState } from "./stream.ts";

export class Summary {
  readonly element: HTMLElement;
  readonly #values = new Map<string, HTMLElement>();
  readonly #line = h("span", { class: "line", role: "status", "data-testid": "stream-state" });
  readonly #clock = h("time", { class: "clock", "aria-label": "Time, UTC" });

  constructor(onSignOut: () => void) {
    const brand = h(
      "div",
      { class: "brand" },
      h("img", { src: "./favicon.svg", alt: "", width: 24, height: 24 }),
    );
    brand.append(h("h1", {}, "Keelwing"));
    this.element = h(
      "header",
      { class: "summary" },
      brand,
      h(
        "dl",
        { class: "figures", "aria-label": "Fleet summary" },
        this.#figure("vessel", "Ships", "fleet-count-vessel", shapeSvg("vessel")),
        this.#figure("aircraft", "Aircraft", "fleet-count-aircraft", shapeSvg("aircraft")),
        this.#figure("fresh", "Heard in 10 min", "fleet-count-fresh"),
        this.#figure("critical", "Critical", "alert-count-critical"),
        this.#figure("warning", "Warning", "alert-count-warning"),
        this.#figure("info", "Info", "alert-count-info"),
      ),
      h(
        "div",
        { class: "session" },
        this.#line,
        this.#clock,
        h("button", { class: "quiet", type: "button", onclick: onSignOut }, "Sign out"),
      ),
    );
    this.showStream({ name: "connecting" });
  }

  show(fleet: Fleet, now_ms: number): void {
    const counts = fleet.counts(now_ms);
    for (const [name, element] of this.#values) {
      const count = counts[name as keyof typeof counts];
      setText(element, count.toLocaleString("en-GB"));
      setData(element, "zero", String(count === 0));
    }
    setText(this.#clock, `${new Date(now_ms).toISOString().slice(11, 19)} UTC`);
  }

  showStream(state: StreamState): void {
    const words = {
      connecting: "Connecting",
      live: "Live",
      waiting: state.name === "waiting" ? `Reconnecting in ${state.seconds} s` : "",
      refused: "Stream refused",
    };
    setText(this.#line, words[state.name]);
    setData(this.#line, "state", state.name);
  }

  #figure(name: string, label: string, testId: string, mark?: Node): HTMLElement {
    const value = h("dd", { "data-testid": testId }, "0");
    this.#values.set(name, value);
    return h("div", { class: `figure ${name}` }, h("dt", {}, mark ?? null, label), value);
  }
}
