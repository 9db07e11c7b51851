import { STUDY_TASKS } from "@isthmus/study";
import { runTask, serveTasks } from "@isthmus/tasks";
import { createWorkerPorts } from "./worker-ports.ts";

const ports = await createWorkerPorts();

serveTasks((assignment, control) => runTask(STUDY_TASKS, assignment, ports, control));
