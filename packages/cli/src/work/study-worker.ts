import { workerData } from "node:worker_threads";
import { STUDY_TASKS } from "@isthmus/study";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createWorkerPorts, type WorkerData } from "./worker-ports.ts";

const ports = await createWorkerPorts(workerData as WorkerData);

serveTasks((assignment, control) => runTask(STUDY_TASKS, assignment, ports, control));
