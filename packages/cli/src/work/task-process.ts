import { runTask, serveTasks } from "@isthmus/tasks";
import type { EngineName } from "../options/engine-option.ts";
import { WORKER_TASKS } from "./worker-kinds.ts";
import { createWorkerPorts } from "./worker-ports.ts";

// A process of isthmus worker: node task-process.js MARK ENGINE
const engine = process.argv[3] as EngineName;
const ports = await createWorkerPorts({ engine });

serveTasks((assignment, control) => {
  if (assignment.directory !== undefined) process.chdir(assignment.directory);
  return runTask(WORKER_TASKS, assignment, ports, control);
});
