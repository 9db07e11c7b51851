import { createTextDataSet } from "@isthmus/data";
import { planStudy } from "@isthmus/study";
import { expect, it } from "vitest";

const TEXT = "to be or not to be, that is the question: whether 'tis nobler in the mind to suffer";

it("planStudy() learns alignments from fewer texts than images in a step, and in larger steps", async () => {
  const openData = async (name: string) => createTextDataSet(TEXT, { name, context: 8 });
  const networks = (net: string) => ({
    for: { seed: [0, 1] },
    net,
    data: "few",
    seed: `\${seed}`,
    epochs: 1,
  });
  const { tasks } = await planStudy(
    {
      title: "Texts",
      networks: { gpts: networks("gpt:d1:w8:h2:c8"), llamas: networks("llama:d1:w8:h2:kv1:c8") },
      measurements: {
        gpts: { kind: "barrier", between: "gpts", align: "learned", data: "few" },
        llamas: { kind: "layers", between: "llamas", align: "learned", match: { batch: 2 }, data: "few" },
      },
      tables: {},
    },
    { engine: "none", openData },
  );
  const learned = tasks.filter(({ kind }) => kind === "learn").map(({ params }) => params);
  expect(learned).toMatchObject([
    { options: { batchSize: 16, learningRate: 0.02 } },
    { options: { batchSize: 2, learningRate: 0.02 } },
  ]);
});
