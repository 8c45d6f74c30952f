/**
 * The exact shapes of file calls and of what stands on a disk, for checking them where they come from outside. They follow vfs.ts. Left out: whether a disk's rows fit together,
 * which the file system looks at.
 */
import {
  either,
  isBase64,
  isBytes,
  isCount,
  isFlag,
  isInteger,
  isMode,
  isNothing,
  isText,
  isWithin,
  listOf,
  oneOf,
  shape,
  variants,
  type Check,
} from "./check.ts";
import type { FileCall } from "./vfs.ts";

const word = isText;

const isFileType = oneOf("file", "directory", "symlink", "socket", "fifo");
const maybeTime = either(isInteger, oneOf("now"), isNothing);
const isFlags = shape(
  { access: oneOf("r", "w", "rw") },
  { create: isFlag, exclusive: isFlag, truncate: isFlag, append: isFlag, directory: isFlag, nofollow: isFlag },
);
/** uid_t and gid_t; -1 leaves it as it is. */
const isOwner = isWithin(-1, 0xffff_ffff);

const ofPath = shape({ call: word, path: isText });
const ofDescriptor = shape({ call: word, fd: isInteger });
const ofTwo = shape({ call: word, from: isText, to: isText });
const ofOwner = shape({ call: word, path: isText, uid: isOwner, gid: isOwner });

/** @param isData how a message holds bytes */
function callShapes(isData: Check): Readonly<Record<FileCall["call"], Check>> {
  return {
    stat: ofPath,
    lstat: ofPath,
    fstat: ofDescriptor,
    access: shape({ call: word, path: isText, mode: isInteger }),
    readdir: ofPath,
    readlink: ofPath,
    realpath: ofPath,
    open: shape({ call: word, path: isText, flags: isFlags }, { mode: isMode }),
    close: ofDescriptor,
    dup: ofDescriptor,
    read: shape({ call: word, fd: isInteger, length: isInteger }, { at: isInteger }),
    write: shape({ call: word, fd: isInteger, data: isData }, { at: isInteger }),
    lseek: shape({ call: word, fd: isInteger, offset: isInteger, whence: oneOf("set", "cur", "end") }),
    ftruncate: shape({ call: word, fd: isInteger, length: isInteger }),
    truncate: shape({ call: word, path: isText, length: isInteger }),
    fsync: ofDescriptor,
    mkdir: shape({ call: word, path: isText }, { mode: isMode }),
    rmdir: ofPath,
    unlink: ofPath,
    rename: ofTwo,
    link: ofTwo,
    symlink: shape({ call: word, target: isText, path: isText }),
    chmod: shape({ call: word, path: isText, mode: isMode }),
    chown: ofOwner,
    lchown: ofOwner,
    utimens: shape({ call: word, path: isText }, { atime: maybeTime, mtime: maybeTime }),
    statfs: ofPath,
    mount: shape({ call: word, path: isText, type: oneOf("tmpfs"), source: isText }, { mode: isMode, bytes: isCount, readOnly: isFlag }),
    serve: shape({ call: word, path: isText, source: isText, options: isText }),
    remount: shape({ call: word, path: isText, readOnly: isFlag }),
    umount: shape({ call: word, path: isText }, { lazy: isFlag }),
    umask: shape({ call: word, mask: isInteger }),
    chdir: ofPath,
    getcwd: shape({ call: word }),
  };
}

export const isFileCall: Check = variants("call", callShapes(isBytes));
/** The same where bytes are base64. */
export const isJsonFileCall: Check = variants("call", callShapes(isBase64));

const ofTimes = { atime: isInteger, mtime: isInteger, ctime: isInteger };
const ofInode = { type: isFileType, mode: isCount, uid: isInteger, gid: isInteger, size: isCount, ...ofTimes };

const isInode = shape(ofInode, { target: isText, chunks: listOf(isText) });

export const isPiece: Check = shape({ hash: isText, data: isBytes });

export const isDiskImage: Check = shape({
  seq: isCount,
  inodes: listOf(shape({ ino: isCount, inode: isInode })),
  entries: listOf(shape({ dir: isCount, name: isText, ino: isCount })),
});
