import { addChoice, defineFigure } from "./figure.ts";
import { drawMap, extentOf, type LossMap, mapOfPlane } from "./map.ts";
import measured from "./measured.json" with { type: "json" };

const { plane, random } = measured.slices;

/** A slice that is shown, with its name on a button and what is to be said of it. */
interface Slice {
  readonly name: string;
  readonly words: string;
  readonly map: LossMap;
}

const THROUGH =
  "The plane through A, B and aligned B: two basins with a ridge between, and aligned B in the basin of A. Nothing is shown of the other dimensions: there may be ways around the ridge.";
const RANDOM =
  "A plane of two random directions through the same network A: one smooth bowl. B, aligned B and the ridge are not in it, as nearly all directions miss them.";

const slices: readonly Slice[] = [
  { name: "Through three networks", words: THROUGH, map: mapOfPlane(plane, THROUGH) },
  ...random.map(({ axes: [rows = [], columns = []], loss }, index) => ({
    name: `Random directions ${index + 1}`,
    words: RANDOM,
    map: {
      description: RANDOM,
      extents: [extentOf(columns), extentOf(rows)] as const,
      surface: { columns: columns.length, rows: rows.length, values: loss },
      networks: [{ label: "A", x: 0.5, y: 0.5 }],
    },
  })),
];

/** Draws a slice through the loss of a network. */
export function drawSlice(index: number): string {
  const slice = slices[index];
  return slice === undefined ? "" : drawMap(slice.map);
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
