// Where the key and the selection live between reloads: the key in sessionStorage (it dies with the tab), the
// selection in the address bar so that a view can be shared. A key in the fragment is taken and wiped at once.

const KEY_SLOT = "keelwing.key";

/** What is looked at; shared by address. */
export interface Selection {
  asset: string | null;
  alert: string | null;
}

/** Takes `#key=…` out of the address bar, else the key of this tab's session. */
export function takeKey(): string | null {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("key")?.trim();
  if (given) {
    keepKey(given);
    history.replaceState(null, "", `${location.pathname}${location.search}`);
    return given;
  }
  return sessionStorage.getItem(KEY_SLOT);
}

export function keepKey(key: string): void {
  sessionStorage.setItem(KEY_SLOT, key);
}

export function dropKey(): void {
  sessionStorage.removeItem(KEY_SLOT);
}

export function readSelection(): Selection {
  const query = new URLSearchParams(location.search);
  return { asset: query.get("asset"), alert: query.get("alert") };
}

/** Writes the selection into the address bar, as a step that Back undoes. */
export function writeSelection(selection: Selection): void {
  const query = new URLSearchParams(location.search);
  for (const name of ["asset", "alert"] as const) {
    const value = selection[name];
    if (value === null) query.delete(name);
    else query.set(name, value);
  }
  const search = query.size > 0 ? `?${query}` : "";
  if (search !== location.search) history.pushState(null, "", `${location.pathname}${search}`);
}
