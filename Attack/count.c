/* The sandbox that runs beside an attack: counts, and notices when anything of it changes.
 *
 * Writes a growing number to /work/number about a hundred times a second, with some of every kind
 * of work in between. Ends with 1 when what it reads back is not what it wrote.
 */
#include "attack.h"

static uint64_t checksum(const uint64_t *words, size_t count) {
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) sum = sum * 31 + words[i];
  return sum;
}

/* Pages of the kernel's text, which other sandboxes may share. */
static uint64_t text_checksum(void) {
  return checksum((uint64_t *)boot->text_start, (boot->text_end - boot->text_start) / 8);
}

static int work_once(long number) {
  char text[32];
  int ends[2];
  if (pipe(ends)) return 1;
  if (write(ends[1], &number, sizeof number) != sizeof number) return 1;
  long back = 0;
  if (read(ends[0], &back, sizeof back) != sizeof back || back != number) return 1;
  close(ends[0]);
  close(ends[1]);
  pid_t child = fork();
  if (child == 0) _exit((int)(number & 0x7f));
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 1;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != (number & 0x7f)) return 1;
  int file = open("/work/number", O_CREAT | O_RDWR, 0644);
  int size = snprintf(text, sizeof text, "%-12ld\n", number);
  if (file < 0 || pwrite(file, text, size, 0) != size) return 1;
  close(file);
  return 0;
}

int main(void) {
  find_kernel();
  uint64_t words[512], state = 0xc0de, sum;
  for (size_t i = 0; i < LENGTH(words); i++) words[i] = next_random(&state);
  sum = checksum(words, LENGTH(words));
  uint64_t text = text_checksum();
  struct timespec pause = {0, 10000000};
  for (long number = 1;; number++) {
    if (work_once(number)) break;
    if (checksum(words, LENGTH(words)) != sum) break;
    if (number % 16 == 0 && text_checksum() != text) break;
    nanosleep(&pause, NULL);
  }
  say("breach: the sandbox beside noticed something: %s", strerror(errno));
  return 1;
}
