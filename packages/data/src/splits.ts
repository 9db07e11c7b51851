/** Parts of data sets; `val` is also known as validation data. */
export const SPLITS = ["test", "train", "val"] as const;

/** A part of a data set, see {@link SPLITS}. */
export type Split = (typeof SPLITS)[number];

/** Parts of a text, and of tokens. */
export type TextSplit = Exclude<Split, "val">;
