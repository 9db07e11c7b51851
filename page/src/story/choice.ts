import type { PairChoice } from "../worker/story/story-requests.ts";

/** What the page shows, as its address says it. */
export interface Shown extends PairChoice {
  /** Number of the place between A and B, from 0 to 24. */
  readonly place: number;
  /** Whether B is shown aligned. */
  readonly aligned: boolean;
}

/** Keys of the story in the fragment of the address. */
export const FRAGMENT_KEYS: readonly string[] = ["seeds", "width", "place", "aligned"];

/** Number of the last place. */
export const LAST_PLACE = 24;

/** Widths that can be chosen. */
const WIDTHS = [32, 64, 128];

const MOST_SEED = 9999;

/** What is shown if the address says nothing. */
const FIRST_SHOWN: Shown = { seeds: [0, 1], width: 64, place: 0, aligned: false };

/** Reads what is to be shown from the fragment of an address; what it does not say, or says wrongly, is as at first. */
export function readFragment(fragment: string): Shown {
  const said = new URLSearchParams(fragment.replace(/^#/, ""));
  const whole = (text: string | undefined, most: number, otherwise: number) =>
    text !== undefined && /^\d{1,4}$/.test(text) && Number(text) <= most ? Number(text) : otherwise;
  const [a, b] = (said.get("seeds") ?? "").split(",");
  const width = Number(said.get("width"));
  return {
    seeds: [whole(a, MOST_SEED, FIRST_SHOWN.seeds[0]), whole(b, MOST_SEED, FIRST_SHOWN.seeds[1])],
    width: WIDTHS.includes(width) ? width : FIRST_SHOWN.width,
    place: whole(said.get("place") ?? undefined, LAST_PLACE, FIRST_SHOWN.place),
    aligned: said.get("aligned") === "1",
  };
}

/** Writes what is shown as the fragment of an address. */
export function writeFragment({ seeds, width, place, aligned }: Shown): string {
  return `#seeds=${seeds[0]},${seeds[1]}&width=${width}&place=${place}${aligned ? "&aligned=1" : ""}`;
}
