import { parentPort } from 'node:worker_threads';
import { findWrongInScript } from '../validation/library-script.js';
import { validateStep } from '../validation/validate-step.js';
import { type Parsers, validateText } from '../validation/validate-text.js';
import type { Answer, Question } from './messages.js';
import { openPythonParser } from './python-parser.js';

const parsers: Parsers = { parsePython: openPythonParser({ path: process.env['PATH'] ?? '' }).parse };

async function answer(question: Question): Promise<Answer> {
  switch (question.kind) {
    case 'step':
      return { ok: true, validation: await validateStep(question.step) };
    case 'text':
      return { ok: true, validation: await validateText(question.type, question.text, parsers) };
    case 'library':
      return { ok: true, findings: await findWrongInScript(question.script) };
  }
}

parentPort?.on('message', (question: Question) => {
  void answer(question)
    .catch((error: unknown): Answer => ({ ok: false, because: error instanceof Error ? error.message : String(error) }))
    .then((said) => parentPort?.postMessage(said));
});
