import { runTask, type TaskExecutor } from "@isthmus/tasks";
import type { StudyPorts } from "../src/tasks/task-kind.ts";
import { loadStudyTasks } from "../src/tasks/task-kinds.ts";

const STUDY_TASKS = await loadStudyTasks();

/** Makes an executor that runs the tasks of studies one after the other in this process. */
export function studyExecutor(ports: StudyPorts): TaskExecutor {
  return { capacity: 1, run: (assignment, control) => runTask(STUDY_TASKS, assignment, ports, control) };
}
