# Sourced by scripts that run programs under AddressSanitizer, so that all use the same options.

# LeakSanitizer guesses the size of a block of thread-local variables from the bytes before it,
# which the C library may not have written. Its tracer then crashes if libraries loaded later have
# thread-local variables, as OpenVINO has. It finds the memory of our own threads without that
# guess.
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:allocator_may_return_null=1
ASAN_OPTIONS+=:intercept_tls_get_addr=0
# OpenVINO allocates so often that recording the stack of each allocation takes more time than all
# the rest. Two frames are enough to find a fault; MALLOC_CONTEXT_SIZE=30 shows where it came from.
ASAN_OPTIONS+=:malloc_context_size=${MALLOC_CONTEXT_SIZE:-2}
export LSAN_OPTIONS=print_suppressions=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
