import { runTask, serveTasks } from "@isthmus/tasks";
import type { EngineName } from "../options/engine-option.ts";
import { loadWorkerTasks } from "./worker-kinds.ts";
import { createWorkerPorts } from "./worker-ports.ts";

// A process of isthmus worker: node task-process.js MARK ENGINE
const engine = process.argv[3] as EngineName;
const ports = await createWorkerPorts({ engine });
const kinds = await loadWorkerTasks();

serveTasks((assignment, control) => {
  if (assignment.directory !== undefined) process.chdir(assignment.directory);
  return runTask(kinds, assignment, ports, control);
});
