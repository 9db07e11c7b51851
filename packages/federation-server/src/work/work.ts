import { UsageError } from "@isthmus/core";
import type { AggregateRequest } from "./aggregate-round.ts";
import type { CheckRequest } from "./check-update.ts";
import type { EvaluateRequest } from "./evaluate-network.ts";
import type { LayerBarriersRequest } from "./measure-layer-barriers.ts";
import type { ScanRequest } from "./scan-upload.ts";

/**
 * Performs a piece of work, in any thread. Modules are loaded with the first work of their kind: a thread
 * that only checks updates needs neither rules nor an engine.
 */
export async function doWork(
  { kind, params }: { readonly kind: string; readonly params: object },
  signal: AbortSignal,
): Promise<object> {
  switch (kind) {
    case "check":
      return (await import("./check-update.ts")).checkUpdate(params as CheckRequest);
    case "scan":
      return (await import("./scan-upload.ts")).scanUpload(params as ScanRequest);
    case "aggregate":
      return (await import("./aggregate-round.ts")).aggregateRound(params as AggregateRequest, signal);
    case "evaluate":
      return (await import("./evaluate-network.ts")).evaluateNetwork(params as EvaluateRequest, signal);
    case "layers": {
      const { measureLayerBarriers } = await import("./measure-layer-barriers.ts");
      return measureLayerBarriers(params as LayerBarriersRequest, signal);
    }
    default:
      throw new UsageError(`Cannot do work of kind "${kind}": there is none`);
  }
}
