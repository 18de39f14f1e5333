// The little that the panels need of a framework: making elements, and keeping a list's rows by key so that focus,
// scroll position and screen readers survive a redraw.

type Attributes = Record<string, string | number | boolean | null | ((event: Event) => void)>;

/** Makes an element. Functions become listeners (`onclick`), null and false are left out, true is empty. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string | null)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false)
      element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Writes text only when it differs: an untouched node costs no layout and is not read out again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setData(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

export function setTitle(element: HTMLElement, title: string): void {
  if (element.title !== title) element.title = title;
}

/** A list whose rows live as long as their keys. */
export class KeyedList<T> {
  readonly #rows = new Map<string, HTMLElement>();

  constructor(
    readonly list: HTMLElement,
    readonly key: (item: T) => string,
    readonly create: (item: T) => HTMLElement,
    readonly update: (row: HTMLElement, item: T) => void,
  ) {}

  show(items: readonly T[]): void {
    const wanted = new Set(items.map(this.key));
    for (const [key, row] of this.#rows) {
      if (wanted.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    let at = this.list.firstElementChild;
    for (const item of items) {
      const key = this.key(item);
      let row = this.#rows.get(key);
      if (row === undefined) {
        row = this.create(item);
        this.#rows.set(key, row);
      }
      this.update(row, item);
      if (row === at) at = at.nextElementSibling;
      else this.list.insertBefore(row, at);
    }
  }
}

/** Up and down arrows walk the buttons of a list. */
export function walkWithArrows(list: HTMLElement): void {
  list.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const buttons = [...list.querySelectorAll<HTMLElement>("button[data-row]")];
    const here = buttons.indexOf(document.activeElement as HTMLElement);
    const next = buttons[here + (event.key === "ArrowDown" ? 1 : -1)];
    if (here < 0 || !next) return;
    event.preventDefault();
    next.focus();
  });
}
