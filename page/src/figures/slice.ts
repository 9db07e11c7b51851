import { addChoice, defineFigure } from "./figure.ts";
import { areaAbove, type Box } from "./isobands.ts";
import { label, picture, round, tag } from "./markup.ts";
import measured from "./measured.json" with { type: "json" };

const { plane, random } = measured.slices;
const SIZE = { width: 520, height: 412 };

/** Largest width and height of a slice, which is drawn to scale. */
const MOST = { width: 500, height: 376 };

/** Losses at which a band begins, in nats. */
const LEVELS = [0.25, 0.35, 0.5, 0.75, 1, 1.5, 2, 3];

/** A slice that is shown. */
interface Slice {
  /** Extents along both directions, in one unit. */
  readonly extents: readonly [number, number];
  readonly name: string;
  readonly words: string;
  readonly surface: { readonly columns: number; readonly rows: number; readonly values: readonly number[] };
  readonly points: readonly { readonly label: string; readonly x: number; readonly y: number }[];
}

/** Returns where a value is between the first and the last place. */
function share(places: readonly number[], value: number): number {
  const [first = 0, last = 1] = [places[0], places.at(-1)];
  return (value - first) / (last - first);
}

const extent = (places: readonly number[]) => (places.at(-1) ?? 0) - (places[0] ?? 0);

const slices: readonly Slice[] = [
  {
    name: "Through three networks",
    words:
      "The plane through A, B and aligned B: two basins with a ridge between, and aligned B in the basin of A. Nothing is shown of the other dimensions: there may be ways around the ridge.",
    // The second direction is drawn from left to right, as it is the longer one.
    extents: [extent(plane.ys), extent(plane.xs)],
    surface: {
      columns: plane.ys.length,
      rows: plane.xs.length,
      values: plane.xs.flatMap((_, x) => plane.ys.map((_, y) => plane.loss[y * plane.xs.length + x] ?? 0)),
    },
    points: plane.networks.map(({ label, x, y }) => ({
      label,
      x: share(plane.ys, y),
      y: share(plane.xs, x),
    })),
  },
  ...random.map(({ axes, loss }, index) => ({
    name: `Random directions ${index + 1}`,
    words:
      "A plane of two random directions through the same network A: one smooth bowl. B, aligned B and the ridge are not in it, as nearly all directions miss them.",
    extents: [extent(axes[1] ?? []), extent(axes[0] ?? [])] as const,
    surface: { columns: axes[1]?.length ?? 1, rows: axes[0]?.length ?? 1, values: loss },
    points: [{ label: "A", x: 0.5, y: 0.5 }],
  })),
];

/** Returns the largest box of the shape of a slice. */
function boxOf({ extents }: Slice): Box {
  const scale = Math.min(MOST.width / extents[0], MOST.height / extents[1]);
  const [width, height] = [round(extents[0] * scale), round(extents[1] * scale)];
  return { left: round((SIZE.width - width) / 2), top: 8, width, height };
}

/** Draws a slice through the loss of a network as a map. */
export function drawSlice(index: number): string {
  const slice = slices[index] ?? slices[0];
  if (slice === undefined) return "";
  const box = boxOf(slice);
  const { left, top, width, height } = box;
  const places = slice.points.map(({ label, x, y }) => ({
    label,
    x: round(left + x * width),
    y: round(top + (1 - y) * height),
  }));
  return picture(
    SIZE,
    `${slice.name}. ${slice.words}`,
    tag("rect", { class: "lowland", x: left, y: top, width, height }),
    ...LEVELS.map((level, i) =>
      tag("path", { class: `band band-${i}`, d: areaAbove(slice.surface, box, level) }),
    ),
    ...places.flatMap(({ label: name, x, y }) => [
      tag("circle", { class: "here", cx: x, cy: y, r: 5 }),
      label(name, { class: "name", x, y: y - 11, "text-anchor": "middle" }),
    ]),
    label(`Bands begin at ${LEVELS.join(", ")} nats`, { x: 10, y: 406 }),
  );
}

/** Defines the figure of several slices through one surface. */
export function defineSlice(): void {
  const caption =
    "Measured by Isthmus: three slices through the loss of one network, <code>mlp:64x3</code> on 1,000 test digits, 25 × 25 places each.";
  defineFigure("isthmus-slice", caption, ({ picture, controls, words }) => {
    const show = (index: number) => {
      picture.innerHTML = drawSlice(index);
      words.textContent = slices[index]?.words ?? "";
    };
    addChoice(
      controls,
      slices.map(({ name }) => name),
      show,
    );
    show(0);
  });
}
