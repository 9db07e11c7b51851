import { workerData } from "node:worker_threads";
import { useMeasurements } from "@isthmus/measurements/use";
import { loadStudyTasks } from "@isthmus/study";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createWorkerPorts, type WorkerData } from "./kinds/worker-ports.ts";

const data = workerData as WorkerData;
const ports = await createWorkerPorts(data);

await useMeasurements(data.use);
const kinds = await loadStudyTasks();

serveTasks((assignment, control) => runTask(kinds, assignment, ports, control));
