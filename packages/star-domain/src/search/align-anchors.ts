import { createCheckpoint, createTensor, type Tensor } from "@isthmus/core";
import { permute, type SymmetrySpec } from "@isthmus/symmetry";
import type { Blend, PointWeights } from "@isthmus/training";
import { matchWeights } from "@isthmus/weight-matching";
import type { AnchorCache } from "./anchor-cache.ts";
import type { FindStarOptions, ResolvedFindStarOptions } from "./find-star-options.ts";
import { measureNorms } from "./measure-norms.ts";
import type { StarSearch } from "./star-search.ts";

interface AnchorAlignment extends StarSearch {
  readonly spec: SymmetrySpec;
  /** What is told of the aligned anchors. */
  readonly cache: AnchorCache;
}

interface AnchorAlignerOptions {
  readonly options: ResolvedFindStarOptions["search"];
  readonly training: ResolvedFindStarOptions["training"];
  /** All weights the star starts with, those among them that are not trained. */
  readonly starts: ReadonlyMap<string, Tensor>;
  /** Name of the star among the trained points. */
  readonly star: string;
  readonly onProgress: FindStarOptions["onProgress"];
}

/**
 * Aligns all anchors to the star before every so many epochs. Where the units of each anchor went is kept with the state of the
 * training, so that one that resumes between two alignments goes on with the former.
 */
export function createAnchorAligner(
  search: AnchorAlignment,
  options: AnchorAlignerOptions,
): Required<Pick<Blend, "beginEpoch" | "kept">> {
  const { anchors, spec, cache } = search;
  const { alignEvery } = options.options;
  const alignments = anchors.map(() => Int32Array.from({ length: spec.units }, (_, unit) => unit));
  const alignedFor = Int32Array.of(-1);
  let isPlaced = false;
  const place = () => {
    cache.replace(anchors.map((anchor, i) => permute({ source: sourceOf(alignments, i) }, anchor, spec)));
    isPlaced = true;
  };
  return {
    kept: new Map([
      ["anchors aligned for epoch", createTensor("i32", [1], alignedFor)],
      ...alignments.map((source, i) => {
        return [`alignment of anchor ${i}`, createTensor("i32", [spec.units], source)] as const;
      }),
    ]),
    async beginEpoch(epoch, trained) {
      if (epoch % alignEvery === 0 && alignedFor[0] !== epoch) {
        const star = new Map([...options.starts, ...(trained.get(options.star) ?? [])]);
        const found = await matchAnchors(search, star, { ...options, epoch });
        found.forEach((source, i) => {
          alignments[i]?.set(source);
        });
        alignedFor[0] = epoch;
        place();
      } else if (!isPlaced) place();
    },
  };
}

const sourceOf = (alignments: readonly Int32Array[], anchor: number) =>
  Int32Array.from(alignments[anchor] ?? []);

async function matchAnchors(
  { graph, engine, anchors, data, spec }: AnchorAlignment,
  star: PointWeights,
  { options, training, epoch, onProgress }: AnchorAlignerOptions & { readonly epoch: number },
): Promise<Int32Array[]> {
  const { signal, seed } = training;
  const { statisticsExamples: examples, restarts } = options;
  const measured = await measureNorms({ graph, engine, data, examples, signal }, star);
  const target = createCheckpoint(new Map(measured), {}, "star");
  const sources: Int32Array[] = [];
  for (const anchor of anchors) {
    signal?.throwIfAborted();
    onProgress?.({ phase: "aligning", epoch, aligned: sources.length, anchors: anchors.length });
    const { alignment } = await matchWeights(target, anchor, spec, { graph, engine, seed, restarts, signal });
    sources.push(alignment.source);
  }
  return sources;
}
