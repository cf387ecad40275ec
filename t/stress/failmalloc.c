
/*
 * Copyright (C) the nginx gateway modules developers
 */


/*
 * Allocations that fail: while the counter in the shared file is above zero,
 * each allocation takes one from it, and the one that takes the last fails.
 * With "sticky" as many that follow fail too.
 *
 * Preloaded into nginx; or, as FAILMALLOC_WRAP, linked into it with --wrap,
 * where a sanitizer has the allocator for itself.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


typedef struct {
    int   count;
    int   sticky;
    int   failed;
    int   seen;
} fail_t;


#ifdef FAILMALLOC_WRAP

#define fail_name(name)  __wrap_##name
#define fail_real(name)  __real_##name

#else

#define fail_name(name)  name
#define fail_real(name)  __libc_##name

#endif


extern void *fail_real(malloc)(size_t size);
extern void *fail_real(calloc)(size_t n, size_t size);
extern void *fail_real(realloc)(void *p, size_t size);
extern void *fail_real(memalign)(size_t alignment, size_t size);

void *fail_name(malloc)(size_t size);
void *fail_name(calloc)(size_t n, size_t size);
void *fail_name(realloc)(void *p, size_t size);
void *fail_name(memalign)(size_t alignment, size_t size);
int fail_name(posix_memalign)(void **p, size_t alignment, size_t size);


static fail_t  *fail;


__attribute__((constructor))
static void
fail_init(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("FAILMALLOC");
    if (name == NULL) {
        return;
    }

    fd = open(name, O_RDWR);
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(fail_t), PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);

    if (p != MAP_FAILED) {
        fail = p;
    }

    close(fd);
}


static int
fail_now(void)
{
    int  left;

    if (fail == NULL || __atomic_load_n(&fail->count, __ATOMIC_RELAXED) <= 0) {
        return 0;
    }

    __atomic_add_fetch(&fail->seen, 1, __ATOMIC_RELAXED);

    left = __atomic_sub_fetch(&fail->count, 1, __ATOMIC_RELAXED);

    if (left > 0) {
        return 0;
    }

    if (fail->sticky > 0) {
        fail->sticky--;
        __atomic_store_n(&fail->count, 1, __ATOMIC_RELAXED);
    }

    __atomic_add_fetch(&fail->failed, 1, __ATOMIC_RELAXED);
    errno = ENOMEM;

    return 1;
}


void *
fail_name(malloc)(size_t size)
{
    return fail_now() ? NULL : fail_real(malloc)(size);
}


void *
fail_name(calloc)(size_t n, size_t size)
{
    return fail_now() ? NULL : fail_real(calloc)(n, size);
}


void *
fail_name(realloc)(void *p, size_t size)
{
    return (size != 0 && fail_now()) ? NULL : fail_real(realloc)(p, size);
}


int
fail_name(posix_memalign)(void **p, size_t alignment, size_t size)
{
    if (fail_now()) {
        return ENOMEM;
    }

    *p = fail_real(memalign)(alignment, size);

    return (*p == NULL) ? ENOMEM : 0;
}


void *
fail_name(memalign)(size_t alignment, size_t size)
{
    return fail_now() ? NULL : fail_real(memalign)(alignment, size);
}
