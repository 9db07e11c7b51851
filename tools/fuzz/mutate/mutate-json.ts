// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of a study.
import type { Dice } from "../dice.ts";

/** An object or array, and a key of it. */
type Place = readonly [Record<string, unknown>, string];

/**
 * Changes a value in one to three places: other values, moved, doubled and missing entries, keys that objects
 * have already.
 */
export function mutateJson(dice: Dice, value: unknown): unknown {
  const changed: unknown = structuredClone(value);
  for (let round = 1 + dice.below(3); round > 0; round--) {
    const places = placesOf(changed);
    if (places.length === 0) return strangeValue(dice);
    const [holder, key] = dice.pick(places);
    dice.pick(CHANGES)(dice, { holder, key, places });
  }
  return changed;
}

/** Writes JSON, now and then damaged: a stray character, a key that is there twice, text cut off. */
export function writeJson(dice: Dice, value: unknown): string {
  let text = JSON.stringify(value) ?? "null";
  if (dice.chance(0.1)) {
    const at = dice.below(text.length);
    text = text.slice(0, at) + dice.pick(STRAY) + text.slice(at);
  }
  const keys = dice.chance(0.08) ? text.match(/"[^"]{1,20}":/g) : null;
  if (keys !== null) {
    const key = dice.pick(keys);
    text = text.replace(key, () => `${key}1,${key}`);
  }
  return dice.chance(0.03) ? text.slice(0, dice.below(text.length)) : text;
}

const STRAY = ['"a":1,', ",", "{", "}", "[", "]", "\u2028", "\ufeff", '"', "1e999", "-0", "\\", "\u0000"];

function placesOf(value: unknown, places: Place[] = [], depth = 0): readonly Place[] {
  if (typeof value !== "object" || value === null || depth > 40) return places;
  for (const key of Object.keys(value)) {
    places.push([value as Record<string, unknown>, key]);
    placesOf((value as Record<string, unknown>)[key], places, depth + 1);
  }
  return places;
}

interface Chosen {
  readonly holder: Record<string, unknown>;
  readonly key: string;
  readonly places: readonly Place[];
}

type Change = (dice: Dice, chosen: Chosen) => void;

const CHANGES: readonly Change[] = [
  (_, { holder, key }) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  },
  (dice, { holder, key }) => define(holder, key, strangeValue(dice)),
  (dice, { holder, key }) => {
    const copy = structuredClone(holder[key]);
    if (Array.isArray(holder)) holder.splice(Number(key), 0, copy);
    else define(holder, dice.pick(["__proto__", "constructor", "toString", "", `${key}x`]), copy);
  },
  (dice, { holder, key }) => {
    const value = holder[key];
    if (typeof value === "number") define(holder, key, value + dice.pick([-4, -1, 0.5, 1, 4, 2 ** 32]));
    else if (typeof value === "string") define(holder, key, changeText(dice, value));
    else define(holder, key, strangeValue(dice));
  },
  (dice, { holder, key, places }) => {
    const [from, name] = dice.pick(places);
    // Not into itself: copies of copies would fill the memory of the fuzzer.
    if (JSON.stringify(from[name])?.length < 10_000) define(holder, key, structuredClone(from[name]));
  },
];

function changeText(dice: Dice, text: string): string {
  return (
    text.slice(0, dice.below(text.length + 1)) +
    dice.pick(["", "x", "\u0000", "/", "..", "'", "\ud800", "${x}"])
  );
}

/** Also where the key is one that assigning would take for something else. */
function define(holder: object, key: string, value: unknown): void {
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function strangeValue(dice: Dice): unknown {
  return dice.pick(STRANGE)(dice);
}

const STRANGE: readonly ((dice: Dice) => unknown)[] = [
  () => null,
  () => true,
  (dice) => dice.pick([0, -1, 1.5, -0, 2 ** 31, 2 ** 32, 2 ** 53, 1e308]),
  (dice) => dice.pick(["", "x", "../x", "\u0000", "__proto__", "\ud800", "F32", "NaN"]),
  (dice) =>
    dice.pick<unknown>([[], {}, [1, 2], [4294967296, 4294967296], { toString: 1 }, Array(50).fill(0)]),
  (dice) => nested(dice.pick([20, 200, 500]), dice.chance(0.5)),
];

function nested(levels: number, isObject: boolean): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = isObject ? { a: value } : [value];
  return value;
}
