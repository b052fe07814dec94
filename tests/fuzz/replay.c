/*
 * Runs inputs from files through a target, without libFuzzer: replay [--faults=N] FILE|FOLDER….
 * Each input runs as it is; with --faults it also runs with the first, second, third … allocation
 * failing, once alone and once with all behind it, until it ends without reaching that allocation.
 * Beyond the N-th the steps grow, other ones for each input. The allocator of the whole process is
 * this one, libraries included.
 */

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1 << 20, FAULT_INPUT_MAX = 16 * 1024 };

/* Under AddressSanitizer its functions, else those of the C library. */
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t n, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *at, size_t size) __attribute__((weak));
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);

static size_t n_allocations;
static size_t failing; /* counted from 1; 0: none */
static bool is_persistent;
static bool has_fault;

static size_t n_inputs, n_faults;
static size_t fault_limit;

bool fuzz_has_fault(void)
{
	return has_fault;
}

/* libFuzzer's; the mutators that call it do not run here. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t size_max)
{
	return size < size_max ? size : size_max;
}

static bool fails(void)
{
	n_allocations++;
	if (!failing || n_allocations < failing || (n_allocations > failing && !is_persistent))
		return false;
	has_fault = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(nmemb, size)
				    : __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
	if (fails())
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(ptr, size) : __libc_realloc(ptr, size);
}

/* Whether the allocation was reached. */
static bool run_with_fault(const uint8_t *bytes, size_t size, size_t n, bool persists)
{
	n_allocations = 0;
	has_fault = false;
	is_persistent = persists;
	failing = n;
	LLVMFuzzerTestOneInput(bytes, size);
	failing = 0;
	n_faults += has_fault;
	return has_fault;
}

static void run_faults(const uint8_t *bytes, size_t size)
{
	bool is_reached = size <= FAULT_INPUT_MAX;

	uint32_t choice = fuzz_hash(bytes, size);

	for (size_t n = 1; is_reached; n += n < fault_limit ? 1 : 1 + choice % (n / 4 + 1)) {
		is_reached = run_with_fault(bytes, size, n, false);
		run_with_fault(bytes, size, n, true);
		choice = choice * 1664525u + 1013904223u;
	}
	has_fault = false;
}

/* In memory of its own, as long as the input and no longer. */
static bool run_file(const char *path)
{
	static uint8_t whole[INPUT_MAX];
	FILE *file = fopen(path, "re");
	size_t size = file ? fread(whole, 1, sizeof(whole), file) : 0;
	uint8_t *bytes = file ? malloc(size ? size : 1) : NULL;

	if (file)
		(void)fclose(file);
	if (!bytes) {
		fprintf(stderr, "%s cannot be read\n", path);
		return false;
	}
	memcpy(bytes, whole, size);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(bytes, size);
	if (fault_limit)
		run_faults(bytes, size);
	n_inputs++;
	free(bytes);
	return true;
}

static bool run_path(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	bool is_fine = true;

	if (!folder)
		return run_file(path);
	while ((entry = readdir(folder))) {
		char inside[1024];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(inside, sizeof(inside), "%s/%s", path, entry->d_name);
		is_fine = run_path(inside) && is_fine;
	}
	closedir(folder);
	return is_fine;
}

int main(int argc, char **argv)
{
	bool is_fine = argc > 1;

	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "--faults=", 9) == 0)
			fault_limit = strtoul(argv[i] + 9, NULL, 10);
		else
			is_fine = run_path(argv[i]) && is_fine;
	}
	printf("%zu inputs, %zu faults\n", n_inputs, n_faults);
	return is_fine && n_inputs ? EXIT_SUCCESS : EXIT_FAILURE;
}
