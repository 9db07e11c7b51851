import type { EngineName } from "@isthmus/engine";
import { useMeasurements } from "@isthmus/measurements/use";
import { runTask, serveTasks } from "@isthmus/tasks";
import { loadWorkerTasks } from "./kinds/load-worker-tasks.ts";
import { createWorkerPorts } from "./kinds/worker-ports.ts";

// A process of isthmus worker: node task-process.js MARK ENGINE FILES...
const engine = process.argv[3] as EngineName;
const ports = await createWorkerPorts({ engine });
// The files are ones that the command line of the worker names: no task can name one.
await useMeasurements(process.argv.slice(4));
const kinds = await loadWorkerTasks();

serveTasks((assignment, control) => {
  if (assignment.directory !== undefined) process.chdir(assignment.directory);
  return runTask(kinds, assignment, ports, control);
});
