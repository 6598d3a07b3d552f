// Paths of the included models: in the source folder if the program is where it was built, else the
// installed ones. An installed program never uses the source folder, which somebody else may own by
// then.
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/place.h"
#include "config.h"
#include "model/model.h"

static char whole[PATH_MAX], floats[PATH_MAX], hands[PATH_MAX];

static void find(char path[PATH_MAX], const char *name, const char *source, const char *fixed)
{
    char installed[256];
    uid_t owner;
    snprintf(installed, sizeof installed, LQ_DATA_FOLDER "/%s", name);
    if (lq_place_is_built(&owner))
        snprintf(path, PATH_MAX, "%s", source);
    else if (!lq_place_installed(path, PATH_MAX, installed) || access(path, R_OK) != 0)
        snprintf(path, PATH_MAX, "%s", fixed);
}

static void find_all(void)
{
    find(whole, "nail.onnx", LQ_MODEL_SOURCE, LQ_MODEL_INSTALLED);
    find(floats, "nail-f16.onnx", LQ_FLOAT_MODEL_SOURCE, LQ_FLOAT_MODEL_INSTALLED);
    find(hands, "hand.onnx", LQ_HAND_MODEL_SOURCE, LQ_HAND_MODEL_INSTALLED);
}

static pthread_once_t once = PTHREAD_ONCE_INIT;

const char *lq_model_default_path(void)
{
    pthread_once(&once, find_all);
    return whole;
}

const char *lq_model_float_path(void)
{
    pthread_once(&once, find_all);
    return floats;
}

const char *lq_landmarks_default_path(void)
{
    pthread_once(&once, find_all);
    return hands;
}
