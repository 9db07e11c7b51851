import { workerData } from "node:worker_threads";
import { loadStudyTasks } from "@isthmus/study";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createWorkerPorts, type WorkerData } from "./worker-ports.ts";

const ports = await createWorkerPorts(workerData as WorkerData);

const kinds = await loadStudyTasks();

serveTasks((assignment, control) => runTask(kinds, assignment, ports, control));
