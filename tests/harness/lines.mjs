// Logs that are read while somebody writes them.
import { readFileSync } from 'node:fs';

/** The lines of a log's text that are there whole; of the last one a reader may see a part. */
export const wholeLines = text => text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter(Boolean);

/** Of a file, from a character on. */
export const linesOf = (file, from = 0) => wholeLines(readFileSync(file, 'utf8').slice(from));
