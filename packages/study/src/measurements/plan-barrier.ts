import { MEASURE_BARRIER_DEFAULTS } from "@isthmus/barrier";
import type { BarrierMeasurement } from "../description/study-description.ts";
import { selectPairs } from "../plan/select-pairs.ts";
import { type MeasurePairParams, measurePair } from "../tasks/measure-pair.ts";
import { planPair } from "./plan-pair.ts";
import type { MeasurementContext, PlannedMeasurement } from "./planned-measurement.ts";

/** Plans the barriers between the pairs of a group. */
export async function planBarrier(
  entry: BarrierMeasurement,
  { networks, planner, variables }: MeasurementContext,
): Promise<readonly PlannedMeasurement[]> {
  const pairs = selectPairs(networks(entry.between), entry);
  const { align = "none", statisticsData } = entry;
  const architectures = new Set(pairs.map(({ a }) => a.architecture));
  const data = await planner.openFor(entry.data, architectures);
  const params: MeasurePairParams = {
    data,
    ...(statisticsData !== undefined && {
      statisticsData: await planner.openFor(statisticsData, architectures),
    }),
    options: optionsOf(entry),
  };
  return pairs.map((pair) => {
    const { key } = planner.add(measurePair, {
      params,
      inputs: planPair(pair, entry, planner),
      label: `barrier of ${pair.a.label} and ${pair.b.label}${align === "none" ? "" : ", aligned"}, ${data.name}`,
    });
    return { variables: { ...pair.variables, ...variables }, task: key };
  });
}

function optionsOf(entry: BarrierMeasurement): MeasurePairParams["options"] {
  const { points, refine, path, statistics } = { ...MEASURE_BARRIER_DEFAULTS, ...entry };
  return { points, refine, path, statistics };
}
