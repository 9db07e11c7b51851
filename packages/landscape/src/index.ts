export { describeLandscape } from "./describe/describe-landscape.ts";
export { describePlane } from "./describe/describe-plane.ts";
export { planeOf } from "./describe/landscape-planes.ts";
export { minimaWords } from "./describe/minima-words.ts";
export { LANDSCAPE } from "./landscape.ts";
export {
  LANDSCAPE_FIELDS,
  LANDSCAPE_KINDS,
  type LandscapeChoice,
  type LandscapeKind,
  type LandscapeNetworks,
  type LandscapeProgress,
  type MeasureLandscapeOptions,
  NORMALIZATIONS,
  type Normalization,
  VECTOR_POLICIES,
  type VectorPolicy,
} from "./landscape-options.ts";
export type {
  InterpolationShape,
  LandscapeDirection,
  LandscapeNetwork,
  LandscapeResult,
} from "./landscape-result.ts";
export { measureLandscape } from "./measure-landscape.ts";
export { PLANE } from "./plane.ts";
export { GRID_NEIGHBORS, type GridNeighbors, isOnEdge, placeOf } from "./topology/grid-neighbors.ts";
export { type GridTopology, gridTopology, topologyOf } from "./topology/grid-topology.ts";
export { MERGE_TREE_DEFAULTS, type MergeTreeOptions, mergeTree } from "./topology/merge-tree.ts";
export type { MergeTree, TreeMinimum, TreeSaddle } from "./topology/merge-tree-result.ts";
export { type SaddleMinimumDistance, saddleMinimumDistance } from "./topology/saddle-minimum-distance.ts";
