import { GraphBuilder, gemm, add, concat } from "@isthmus/graph/builder";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
const engine = createOnnxRuntimeEngine();
const K = 100, N = 512;
const t = (f: number) => ({ dtype: "f32" as const, shape: [K, N], data: Float32Array.from({ length: K * N }, (_, i) => Math.sin(i * f)) });
const feeds = new Map([["a", t(1)], ["b", t(2)], ["c", t(3)], ["d", t(4)]]);
const make = (kind: string) => {
  const g = new GraphBuilder(kind, 21);
  const [a, b, c, d] = ["a", "b", "c", "d"].map((n) => g.input(n, { dtype: "f32", shape: [K, N] })) as any;
  const out = kind === "add" ? add(gemm(a, b, { transA: true }), gemm(c, d, { transA: true }))
    : kind === "bias" ? gemm(a, b, { transA: true, bias: gemm(c, d, { transA: true }) } as any)
    : kind === "fixedcat" ? gemm(concat([a, c], 0), concat([b, d], 0), { transA: true })
    : gemm(concat([a, c], 0), concat([b, d], 0), { transA: true });
  return g.build([g.rename(out, "y")]);
};
const sessions: any[] = [];
for (const kind of ["add", "bias", "cat"]) { const s = await engine.load(make(kind), { threads: 1 }); sessions.push([kind, s, await s.run(feeds), []]); }
for (let r = 0; r < 300; r++) for (const [, s, out, cpus] of sessions) { const c = process.cpuUsage(); await s.run(feeds, out); const u = process.cpuUsage(c); cpus.push((u.user + u.system) / 1000); }
for (const [kind, , , cpus] of sessions) { cpus.sort((a: number, b: number) => a - b); console.log(kind, "min", cpus[0], "med", cpus[150]); }
