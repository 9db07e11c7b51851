import type { ColorScale } from "./color-scale.ts";

/** A network of a map to walk on. */
export interface WalkNetwork {
  /** Short name, different from the names of all others. */
  readonly name: string;
  /** Source of the network, quoted as a shell needs it. */
  readonly word: string;
  /** Whether the network is a star, which low lines connect to the others. */
  readonly star: boolean;
  /** Mean loss of the network. */
  readonly loss: number;
  /** Share of examples classified wrongly; NaN (null in JSON) if the loss has no errors. */
  readonly error: number;
}

/** Measures of the straight line between two networks in one state of alignment. */
export interface WalkLine {
  /** Chord barrier of the loss. */
  readonly loss: number;
  /** Chord barrier of the error. */
  readonly error: number;
  /** Distance between the weights of both ends. */
  readonly distance: number;
  /** Losses at the evenly spaced places between the ends, from the first network. @defaultValue unknown */
  readonly losses?: readonly number[] | undefined;
  /** Errors at the same places. @defaultValue unknown */
  readonly errors?: readonly number[] | undefined;
}

/** Two networks, and the lines between them. */
export interface WalkPair {
  /** Index of the first network. */
  readonly a: number;
  /** Index of the second network. */
  readonly b: number;
  /** The line before alignment, and the line after it. */
  readonly stages: readonly [before: WalkLine, after: WalkLine];
}

/** A path between two networks that does not lead along the straight line. */
export interface WalkPath {
  /** Words for the path, such as `curve`. */
  readonly label: string;
  /** Index of the network at its beginning. */
  readonly a: number;
  /** Index of the network at its end. */
  readonly b: number;
  /** Measured places in their order. */
  readonly points: readonly { readonly t: number; readonly loss: number; readonly error: number }[];
}

/** One way to lay out the networks, between which a reader switches. */
export interface WalkView {
  /** Short name in kebab-case. */
  readonly name: string;
  /** Words of its switch. */
  readonly label: string;
  /** Explanation of the places, in sentences. */
  readonly caption: string;
  /** State of alignment of its lines and its tree: 0 for before, 1 for after. */
  readonly stage: 0 | 1;
  /** Coordinates of each network, `[networks]`; null for a network without a place in this view. */
  readonly places: readonly (readonly [x: number, y: number] | null)[];
  /** Coordinates of the mean of the networks; null if it has no place. */
  readonly mean: readonly [x: number, y: number] | null;
  /**
   * Distances of the networks from the ground, `[networks]`, 0 for a network that lies in it.
   * @defaultValue there is no ground
   */
  readonly off?: readonly (number | null)[];
  /** Networks by their point: networks of one group are one network up to the order of its units. */
  readonly groups: readonly (readonly number[])[];
  /** Indices of the pairs whose lines are drawn while no network is chosen. */
  readonly lines: readonly number[];
  /** Indices of the paths that belong to networks in this state of alignment. */
  readonly paths: readonly number[];
  /** Joins of the tree, as results have them: numbers from the number of networks on denote joins. */
  readonly joins: readonly { readonly a: number; readonly b: number; readonly height: number }[];
  /** Networks in the order of the leaves of the tree. */
  readonly order: readonly number[];
}

/** Measured losses of a plane, on which networks stand. */
export interface WalkGround {
  /** Ascending coordinates of the columns. */
  readonly xs: readonly number[];
  /** Ascending coordinates of the rows. */
  readonly ys: readonly number[];
  /** Vectors along which both coordinates count. */
  readonly basis: readonly [readonly [number, number], readonly [number, number]];
  /** Losses, `[ys][xs]`. */
  readonly loss: readonly (readonly number[])[];
  /** Scale of colours of the losses. */
  readonly scale: ColorScale;
  /** Minima and saddles of the losses, with words for each. */
  readonly marks: readonly {
    readonly kind: "minimum" | "saddle";
    readonly place: readonly [x: number, y: number];
    readonly words: string;
  }[];
}

/** Networks as places between which readers walk: a page shows them with controls, a file as a picture. */
export interface WalkPlot {
  /** Kind of the plot. */
  readonly kind: "walk";
  /** Networks, in the order of the result. */
  readonly networks: readonly WalkNetwork[];
  /** Losses of the mean of the networks, before and after alignment. */
  readonly means: readonly [before: number, after: number];
  /** Ways to lay out the networks; a picture shows the last one. */
  readonly views: readonly WalkView[];
  /** All pairs, in the order (0, 1), (0, 2), ... */
  readonly pairs: readonly WalkPair[];
  /** Further paths. */
  readonly paths: readonly WalkPath[];
  /** Ground of the view named `ground`. @defaultValue there is no such view */
  readonly ground?: WalkGround;
  /** Scale of colours of the loss barriers of lines, in all views. */
  readonly scale: ColorScale;
  /** Unit of losses, such as `nats`; empty if they have none. */
  readonly unit: string;
  /** Whether predictions can be wrong; if not, no errors are shown. */
  readonly hasErrors: boolean;
  /** Options of the command that measures one line, to follow the names of both networks. */
  readonly command: string;
  /** Words that labels of losses and barriers have on axes. */
  readonly words: { readonly loss: string; readonly barrier: string };
}
