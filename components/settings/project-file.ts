import { readFileSync, statSync } from "node:fs";
import type { FileText } from "./provided.ts";

/** The folder of Pulumi.yaml, wherever the program was started: an Automation program may run anywhere. */
const PROJECT = new URL("../../", import.meta.url);

/** Far more than a file that a person writes. */
const LARGEST = 1024 * 1024;

/** Reads a text of the project by its path from the project's folder. */
export function readProjectFile(path: string): FileText {
  try {
    const url = new URL(path.split("/").map(encodeURIComponent).join("/"), PROJECT);
    const stat = statSync(url);
    if (!stat.isFile()) return { fault: "is a folder or a device" };
    if (stat.size > LARGEST) return { fault: "is larger than 1 MiB" };
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(url)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return { fault: "is not there" };
    if (code === "EACCES") return { fault: "may not be read" };
    if (error instanceof TypeError) return { fault: "is not UTF-8" };
    return { fault: `cannot be read (${code ?? "unknown reason"})` };
  }
}
