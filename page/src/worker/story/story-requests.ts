import type { Request } from "../protocol.ts";

/** Choice of the two networks: all numbers of the story follow from it. */
export interface PairChoice {
  /** Seeds of A and of B: of their initial weights, and of the order of the examples. */
  readonly seeds: readonly [number, number];
  /** Number of units in each of the three hidden layers. */
  readonly width: number;
}

/** Something for A and for B. */
export type Pair<T> = readonly [T, T];

/** What is ready once the engine and the digits are loaded. */
export interface Opened {
  /** Number of images that the networks learn from. */
  readonly trainingSize: number;
  /** Number of images that they are measured on. */
  readonly testSize: number;
  /** Number of steps of each training. */
  readonly steps: number;
  /** Images whose readings are shown: the first of the test images, `[shown, 28, 28]`. */
  readonly images: Uint8Array;
  /** What these images show, `[shown]`. */
  readonly labels: Uint8Array;
}

/** State of both trainings after some steps. */
export interface TrainingNews {
  readonly step: number;
  /** Loss of each network on its last batch, in nats; NaN before the first step. */
  readonly losses: Pair<number>;
  /** Weights of the first layer of each network, `[width, 28, 28]`. */
  readonly units: Pair<Float32Array>;
}

/** Both networks, trained. */
export interface TrainedPair {
  /** Seconds that both trainings took together. */
  readonly seconds: number;
  readonly units: Pair<Float32Array>;
}

/** One place between the networks. */
export interface Place {
  /** Place on the line from A, 0, to B, 1. */
  readonly t: number;
  /** Mean loss over the test images, in nats. */
  readonly loss: number;
  /** Share of the test images that are misread. */
  readonly error: number;
}

/** The line between the networks, measured. */
export interface MeasuredLine {
  readonly places: readonly Place[];
  /** Largest rise of the loss above the straight line between the ends, in nats. */
  readonly barrier: number;
  /** What the network at each place reads in the shown images, `[places, shown]`. */
  readonly readings: Uint8Array;
  readonly seconds: number;
}

/** The units of B in the order of those of A. */
export interface AlignedPair {
  /** Unit of B's first layer that takes each place. */
  readonly order: Int32Array;
  /** Weights of B's first layer in the new order. */
  readonly units: Float32Array;
  /** Largest difference of any value inside B before and after, relative to the largest value. */
  readonly difference: number;
  readonly seconds: number;
}

/** Losses on the plane through A, B and the aligned B. */
export interface MeasuredMap {
  /** Places along the line from A to the aligned B, and across it, in units of distance between weights. */
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** Mean losses in nats, `[ys][xs]` row by row. */
  readonly loss: readonly number[];
  /** The three networks in the plane. */
  readonly networks: readonly { readonly label: string; readonly x: number; readonly y: number }[];
  /** Number of test images that each place was measured on. */
  readonly examples: number;
}

/** Files that can be saved. */
export type StoryFile = "a.safetensors" | "b.safetensors" | "merged.safetensors" | "a.onnx";

/** Requests of the story: in this order, as each builds on the one before. */
export interface StoryRequests {
  /** Loads the engine and the digits. */
  "story.open": Request<
    { readonly digits: string; readonly engine: string; readonly engineBytes: number },
    { readonly done: number },
    Opened
  >;
  /** Trains two networks at the same time, in turns. */
  "story.train": Request<PairChoice, TrainingNews, TrainedPair>;
  /** Measures the line from A to B, or to the aligned B. */
  "story.measure": Request<{ readonly aligned: boolean }, Place, MeasuredLine>;
  /** Finds the order of B's units, and proves that B computes the same in it. */
  "story.align": Request<{ readonly seed: number }, { readonly done: number }, AlignedPair>;
  /** Measures the plane through A, B and the aligned B. */
  "story.map": Request<Record<string, never>, { readonly done: number }, MeasuredMap>;
  /** Makes the bytes of a file. */
  "story.file": Request<{ readonly file: StoryFile }, never, Blob>;
}
