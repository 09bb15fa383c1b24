import { judgePath, type PathUse } from '../paths.js';
import type { PythonNode } from './python-tree.js';
import type { Remarks } from './remarks.js';
import { ANY, NAME, type Value } from './value.js';

export type FileUse = PathUse | 'list';

const verbs: Readonly<Record<FileUse, string>> = { list: 'lists', read: 'reads', write: 'writes', remove: 'removes' };

/** Judges every path that it may be. */
export function judgePaths(paths: readonly Value[], use: FileUse, node: PythonNode, remarks: Remarks): void {
  for (const path of paths) {
    if (path.kind === 'number') {
      remarks.never('descriptor', node, 'it uses a file that was opened outside of the text', 'Name the file by its path.');
    } else if (path.kind !== 'text' || path.text.startsWith(ANY)) {
      remarks.plus('unknownPath', node, `it ${verbs[use]} a file whose path cannot be followed`, 'Write the path as a constant, or join a constant folder and a name.');
    } else {
      judgeText(path.text, use, node, remarks);
    }
  }
}

function judgeText(text: string, use: FileUse, node: PythonNode, remarks: Remarks): void {
  const shown = text.replaceAll(NAME, '*').replaceAll(ANY, '…');
  const path = text.replaceAll(NAME, '*').replaceAll(ANY, 'x');
  const judgement = use === 'list' ? judgePath(`${path}/*`, 'read') : judgePath(path, use);
  if (judgement === 'never') {
    remarks.never('path', node, `it ${verbs[use]} ${shown}, which belongs to the system or holds secrets`, 'Work on files of the application, below its own folder of /etc, /opt, /srv, /var/log or /tmp.');
  } else if (text.includes(ANY)) {
    remarks.plus('unknownPath', node, `it ${verbs[use]} ${shown}, of which a part cannot be followed`, 'Write the path as a constant, or join a constant folder and a name.');
  } else if (judgement === 'plus') {
    remarks.plus('path', node, `it ${verbs[use]} ${shown}, which is not known to be the application's, or cannot be replaced`, 'Work on files of the application, below its own folder of /etc, /opt, /srv, /var/log or /tmp.');
  } else if ((use === 'read' || use === 'list') && !text.startsWith('/')) {
    remarks.plus('relativePath', node, `it ${verbs[use]} ${shown} in whatever folder it is run in`, 'Begin the path at /.');
  }
}
