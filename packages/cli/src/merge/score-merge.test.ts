import { describe, expect, it } from "vitest";
import { formatScores, type HelpContext, type MergeScores } from "./score-merge.ts";

const made: HelpContext = {
  options: { align: true, method: "weight" },
  statistics: "keep",
  architecture: undefined,
};

function scoresOf(merged: number, error: number | null): MergeScores {
  const score = (network: string, loss: number) => ({ network, loss, error: error === null ? null : 0.02 });
  return {
    data: "npz:shapes.npz:train",
    examples: 4000,
    networks: [score("a.pt", 0.1), score("b.pt", 0.2)],
    merged: { network: "merged", loss: merged, error },
    lossAboveChord: merged - 0.15,
    errorAboveChord: error === null ? null : error - 0.02,
  };
}

describe("formatScores()", () => {
  it("sets the losses and errors below each other", () => {
    expect(formatScores(scoresOf(0.16, 0.025), made)).toBe(
      [
        "on npz:shapes.npz:train, 4,000 examples    loss   error",
        "a.pt                                     0.1000  2.00 %",
        "b.pt                                     0.2000  2.00 %",
        "merged                                   0.1600  2.50 %",
      ].join("\n"),
    );
  });

  it("names what has not been tried if the merged network is clearly worse", () => {
    const [, sentence] = formatScores(scoresOf(0.7, 0.2), made).split("\n\n");
    expect(sentence).toMatch(/its error is 18\.00 points above theirs/);
    expect(sentence).toMatch(/: --method activation, --statistics repair, wider networks, longer training\./);
    const alone = { ...made, options: { method: "weight" } } as const;
    expect(formatScores(scoresOf(0.7, 0.2), alone)).toContain(": --align, --statistics repair, wider");
  });

  it("goes by the loss if there are no errors, and lists no error then", () => {
    expect(formatScores(scoresOf(0.16, null), made)).not.toMatch(/error|worse/);
    expect(formatScores(scoresOf(0.3, null), made)).toMatch(/its loss is 0\.1500 above theirs/);
  });
});
