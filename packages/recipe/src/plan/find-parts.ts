import {
  type Checkpoint,
  entry,
  formatShape,
  MismatchError,
  sameShape,
  type TensorInfo,
} from "@isthmus/core";
import type { Recipe } from "../recipe/recipe.ts";
import type { Place, PlacedPart } from "./place.ts";

/** A tensor that a network has. */
export interface FoundPart extends PlacedPart {
  /** Element type and shape of the tensor in the network. */
  readonly info: TensorInfo;
  /** Whether the tensor is an embedding that serves as output layer, because the network ties them. */
  readonly isTied: boolean;
}

/** Tensors of a place in all networks, or the only tensor that is copied because other networks lack it. */
export type FoundParts =
  | { /** Tensors to merge. */ readonly parts: readonly FoundPart[]; readonly base: FoundPart | undefined }
  | { /** Tensor that is copied. */ readonly copied: FoundPart };

/** Names of output layers and of embeddings that networks often tie to each other. */
const HEAD = /(^|[./])(lm_head|output|embed_out)[./]weight$/;
const EMBEDDING = /(^|[./])(embed_tokens|wte|word_embeddings|embed_in|tok_embeddings|token_embd)[./]weight$/;

/** Finds the tensors of places, and collects tensors that are missing or of other shapes for one message. */
export class PartFinder {
  readonly #missing: NonNullable<Recipe["missing"]>;
  readonly #absent: string[] = [];
  readonly #absentNames: string[] = [];
  readonly #misshapen: string[] = [];
  readonly #misshapenNames: string[] = [];
  /** Whether tensors of other shapes differ only in their numbers of rows, as if vocabularies differ. */
  #areWidthsEqual = true;

  constructor({ missing = "error" }: Pick<Recipe, "missing">) {
    this.#missing = missing;
  }

  /** Finds the tensors of a place; undefined if a network lacks its tensor, or if shapes differ. */
  find({ output, parts, base }: Place): FoundParts | undefined {
    const all = base === undefined ? parts : [base, ...parts];
    const shape = all.flatMap(({ input, tensor }) => input.network.tensors.get(tensor) ?? [])[0]?.shape;
    const located = all.map((part) => locate(part, shape));
    const present = located.filter((part) => part !== undefined);
    const [first] = present;
    if (first === undefined) return undefined;
    if (present.length < all.length) {
      if (this.#missing === "copy") return { copied: first };
      const without = all
        .filter((_, i) => located[i] === undefined)
        .map(({ input }) => `"${input.network.source}"`);
      this.#absent.push(`"${output}" is missing in ${[...new Set(without)].join(", ")}`);
      this.#absentNames.push(output);
      return undefined;
    }
    const other = present.find(({ info }) => !sameShape(info.shape, first.info.shape));
    if (other !== undefined) {
      this.#misshapen.push(`"${output}" is ${describe(first)} and ${describe(other)}`);
      this.#misshapenNames.push(output);
      this.#areWidthsEqual &&= sameShape(other.info.shape.slice(1), first.info.shape.slice(1));
      return undefined;
    }
    return base === undefined
      ? { parts: present, base: undefined }
      : { base: first, parts: present.slice(1) };
  }

  /** @throws MismatchError if a tensor was missing in a network, or of another shape */
  assertAll(): void {
    if (this.#misshapen.length > 0) {
      const vocabulary =
        this.#areWidthsEqual && this.#misshapenNames.every((name) => EMBEDDING.test(name) || HEAD.test(name));
      const advice = vocabulary ? "; their vocabularies differ: say tokenizer_source: union, or base" : "";
      throw new MismatchError(
        `Cannot plan the recipe as tensors that are merged must be of one shape: ${list(this.#misshapen)}${advice}`,
        { parameters: this.#misshapenNames },
      );
    }
    if (this.#absent.length === 0) return;
    throw new MismatchError(
      `Cannot plan the recipe as all its networks must have a tensor that is merged: ${list(this.#absent)}; write "missing: copy" to take it from the first network that has it`,
      { parameters: this.#absentNames },
    );
  }
}

function locate(part: PlacedPart, shape: readonly number[] | undefined): FoundPart | undefined {
  const { tensors } = part.input.network;
  const info = tensors.get(part.tensor);
  if (info !== undefined) return { ...part, info, isTied: false };
  const embedding =
    HEAD.test(part.tensor) && shape !== undefined ? findEmbedding(part.input.network, shape) : undefined;
  if (embedding === undefined) return undefined;
  return { ...part, tensor: embedding, info: entry(tensors, embedding, "tensor"), isTied: true };
}

function findEmbedding({ tensors }: Checkpoint, shape: readonly number[]): string | undefined {
  return [...tensors].find(([name, info]) => EMBEDDING.test(name) && sameShape(info.shape, shape))?.[0];
}

function describe({ info, input }: FoundPart): string {
  return `${formatShape(info.shape)} in "${input.network.source}"`;
}

/** Most problems that one error lists. */
const SHOWN = 5;

function list(problems: readonly string[]): string {
  const more = problems.length > SHOWN ? `, and ${problems.length - SHOWN} more` : "";
  return `${problems.slice(0, SHOWN).join("; ")}${more}`;
}
