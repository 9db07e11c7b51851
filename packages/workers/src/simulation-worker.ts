import { workerData } from "node:worker_threads";
import { SIMULATION_TASKS } from "@isthmus/simulation";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createWorkerPorts, type WorkerData } from "./kinds/worker-ports.ts";

const ports = await createWorkerPorts(workerData as WorkerData);

serveTasks((assignment, control) => runTask(SIMULATION_TASKS, assignment, ports, control));
