import type { BarrierCurve, BarrierDecomposition, TemperedCurve } from "@isthmus/barrier";

/** Parts, and what averaging each alone costs. */
const PARTS = [
  ["patch", 0.21],
  ["blocks.0", 0.74],
  ["blocks.0.attention.output.dense", 0.13],
  ["ln", -0.0002],
  ["head", 0.02],
] as const;

const bothOf = (loss: number, ratio: number) => ({
  a: { loss, error: 0.3 * loss },
  b: { loss: ratio * loss, error: 0.2 * loss },
});

/** The curve with temperatures, which take two thirds of its barrier away. */
function temperedCurve({ result }: BarrierCurve): TemperedCurve {
  const { loss } = result.barrier;
  const points = result.points.map(({ t, loss: plain }) => {
    const chord = 0.065 + 0.004 * t;
    return { t, temperature: 0.9 + 2 * t * (1 - t), loss: chord + (plain - chord) / 3 };
  });
  const barrier = { ...loss, chord: loss.chord / 3, midpoint: loss.midpoint / 3 };
  return {
    points,
    barrier,
    ...(result.interval && { interval: { low: 0.3 * loss.chord, high: 0.36 * loss.chord } }),
    data: "mnist:test@2500",
    examples: 2500,
  };
}

function decompositionOf({ result }: BarrierCurve): BarrierDecomposition {
  const { a, b, data, examples, statistics, engine } = result;
  const excess = { loss: result.barrier.loss.midpoint / 3, error: result.barrier.error.midpoint };
  const cumulative = Array.from({ length: 101 }, (_, percent) => {
    const share = percent / 100;
    return { share, excess: excess.loss * (share + 1.8 * share * (1 - share)) };
  });
  return {
    kind: "decomposition",
    ends: bothOf(0.067, 1.02),
    midpoint: { loss: 0.067 + excess.loss, error: 0.0156 + excess.error },
    excess,
    parts: PARTS.map(([part, loss], index) => ({
      part,
      tensors: [`${part}.weight`],
      elements: 96 * 8 ** (index % 4),
      averaged: bothOf(loss, 0.8),
      putBack: bothOf(-0.5 * loss + 0.03, 1.2),
    })),
    byExample: {
      rising: 0.965,
      rise: 1.02 * excess.loss,
      fall: 0.02 * excess.loss,
      half: 0.35,
      quantiles: [0, 0.5, 1].map((quantile) => ({ quantile, excess: 6 * quantile - 1 })),
      top: [0.01, 0.1].map((share) => ({
        share,
        examples: 10_000 * share,
        excess: 2.6 * share * excess.loss,
        ofExcess: 2.6 * share,
      })),
      cumulative,
      worst: [7, 1434].map((index) => ({ index, a: 0.02, b: 0.04, midpoint: 5, excess: 4.97 })),
    },
    tempered: { data: "mnist:test@2500", examples: 2500 },
    ...{ a, b, data, examples, statistics, engine },
  };
}

/** The curve with temperatures, and taken apart, for tests. */
export function takenApart(curve: BarrierCurve): Required<BarrierCurve> {
  const { label, result } = curve;
  return {
    label,
    result: { ...result, tempered: temperedCurve(curve) },
    decomposition: decompositionOf(curve),
  };
}
