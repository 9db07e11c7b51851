import { expect, it } from "vitest";
import { countPlacement } from "./placement.ts";

it("countPlacement() counts the nodes on the device, and those on the processor by operator", () => {
  const node = (op: string, provider: string) => ({
    cat: "Node",
    name: `${op}_0_kernel_time`,
    args: { provider, op_name: op },
  });
  const records = [
    { cat: "Session", name: "session_initialization", args: {} },
    node("MatMul", "WebGpuExecutionProvider"),
    node("Add", "WebGpuExecutionProvider"),
    { ...node("Add", "WebGpuExecutionProvider"), name: "Add_0_fence_before" },
    node("Cast", "CPUExecutionProvider"),
    node("Cast", "CPUExecutionProvider"),
    node("Gather", "CPUExecutionProvider"),
  ];
  expect(countPlacement(records)).toEqual({
    onDevice: 2,
    onProcessor: new Map([
      ["Cast", 2],
      ["Gather", 1],
    ]),
  });
});
