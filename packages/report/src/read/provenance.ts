import { LOSS_FORM, PROVENANCE } from "@isthmus/findings/forms";
import type { DrawableResult } from "../result/drawable-result.ts";

/** A result of a kind, as a file holds it. */
export type ResultOf<K extends DrawableResult["kind"]> = Extract<DrawableResult, { readonly kind: K }>;

export { LOSS_FORM as lossFields, PROVENANCE as provenance };
